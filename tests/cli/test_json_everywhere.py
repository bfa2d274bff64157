"""Whatever a command prints, a program can read."""

from tests.cli.command_tree import verbs

LASTS = "runs until it is ended, and tells how it is in the meantime"
DOCUMENT = "prints, or writes, one document as it is"
TOKEN = "prints one token, and nothing else, to be passed on by a pipe"
DONE = "says no more than that it is done, which its exit status says too"
PERSON = "prepares something for a person, and tells them what is next"

WITHOUT_JSON = {
    "init": PERSON,
    "up": LASTS,
    "serve": LASTS,
    "work": LASTS,
    "lab up": PERSON,
    "lab down": DONE,
    "login": DONE,
    "site invite": TOKEN,
    "site leave": DONE,
    "site dismiss": DONE,
    "site control export": DOCUMENT,
    "site inbox-file": DOCUMENT,
    "site publish": DOCUMENT,
    "estate export": DOCUMENT,
    "estate check": DONE,
    "client invite": TOKEN,
    "client readmit": DONE,
    "client withdraw": DONE,
    "client logon-key issue": TOKEN,
    "client logon-key revoke": DONE,
    "agent put-back": DONE,
    "agent start": DONE,
    "agent stop": DONE,
    "agent uninstall": DONE,
    "realm set-password": DONE,
    "realm cut": DONE,
    "realm heal": DONE,
    "envelope take": DOCUMENT,
    "envelope print": DOCUMENT,
    "person remove": DONE,
}
"""Each with the reason."""


def test_every_command_has_json_or_a_reason_to_have_none() -> None:
    without = {words for words, command in verbs() if not any("--json" in each.opts for each in command.params)}
    assert without == set(WITHOUT_JSON)
