"""A ticket for a password, from one controller, by the `kinit` of MIT Kerberos.

A process for each logon, since libkrb5 knows its controllers from the environment of the whole process. The password
goes in through a pipe; neither it nor the ticket touches a disk.
"""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from keyturn.model.accounts import RealmName
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret

_TIMEOUT_S = 10
_ERROR = re.compile(r"Received error from KDC: -(\d+)/(.*)")
_ERROR_BASE = 1765328384
"""Where the numbers of RFC 4120 begin among those of MIT Kerberos, counted downwards."""

_UNKNOWN, _REVOKED, _KEY_EXPIRED, _WRONG, _MORE_WANTED = 6, 18, 23, 24, 25
_ANSWERS = {_UNKNOWN: Answer.UNKNOWN_ACCOUNT, _WRONG: Answer.WRONG_PASSWORD}
_BARRED = (_REVOKED, _KEY_EXPIRED)
"""Locked, disabled or expired; password expired or to be changed. For the last two `kinit` goes on to ask for a ticket
to change it with: a success, so the controller's count starts anew."""

_CONFIGURATION = """\
[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 udp_preference_limit = 1
 [realms]
 {realm} = {{
  kdc = {host}
 }}
"""
"""One controller and TCP alone, so that one wrong password is one bad attempt on the controller that was meant."""


@dataclass(frozen=True, slots=True)
class Barred:
    """Kerberos will not have the account, and does not say why."""

    words: str


def refuse_without_kinit(realm: RealmName) -> None:
    """Before anything is set that could then not be proven."""
    if _kinit() is None:
        raise Refused(f"realm {realm}: kinit is not installed here", hint="apt-get install krb5-user")


def ask_for_ticket(host: str, name: str, realm: str, secret: Secret) -> Answer | Barred:
    doing = f"a Kerberos logon of {name}@{realm} to {host}"
    if not secret.reveal().isprintable():
        raise AuthorityError(f"{doing}: kinit takes no password with control characters", permanent=True)
    done = _run(doing, host, name, realm, secret)
    if done.returncode == 0:
        return Answer.ACCEPTED
    errors = [(_ERROR_BASE - int(code), said) for code, said in _ERROR.findall(done.stderr)]
    code, said = next((e for e in errors if e[0] != _MORE_WANTED), (0, _last_line(done.stderr)))
    if code in _ANSWERS:
        return _ANSWERS[code]
    if code in _BARRED:
        return Barred(said)
    raise AuthorityError(f"{doing}: {said}", permanent=False)


def _run(doing: str, host: str, name: str, realm: str, secret: Secret) -> "subprocess.CompletedProcess[str]":
    kinit = _kinit()
    if kinit is None:
        raise AuthorityError(f"{doing}: kinit is not installed", permanent=True, hint="apt-get install krb5-user")
    with tempfile.TemporaryDirectory(prefix="keyturn-krb5-") as folder:
        configuration = Path(folder, "krb5.conf")
        configuration.write_text(_CONFIGURATION.format(realm=realm, host=host))
        environment = {
            "KRB5_CONFIG": str(configuration),
            "KRB5CCNAME": "MEMORY:",
            "KRB5_TRACE": "/dev/stderr",  # the controller's errors by number; it names no password and no key
            "LC_ALL": "C",
        }
        try:
            return subprocess.run(  # noqa: S603  # a fixed program; name and realm come from the directory
                [kinit, "--", f"{name}@{realm}"],
                input=secret.reveal() + "\n",
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pass
    raise AuthorityError(f"{doing}: no answer in {_TIMEOUT_S} s", permanent=False)


def _kinit() -> str | None:
    return shutil.which("kinit", path=os.environ.get("PATH", os.defpath))


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "kinit failed without a word"
