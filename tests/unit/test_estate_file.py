"""What an estate file may say. Its mistakes are in `test_estate_file_mistakes.py`."""

import re
from pathlib import Path

import pytest

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.accounts import Account, AccountToBe, RealmName, RoleName
from keyturn.model.estate import (
    Absence,
    AccountLife,
    Estate,
    Habit,
    HolderKind,
    ManagedAccount,
    Realm,
    RealmKind,
    SiteCode,
    SiteKind,
)
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.wire.estate_file.problems import EstateErrors
from keyturn.wire.estate_file.reading import read_estate
from keyturn.wire.estate_file.writing import write_estate

HOUSE = Path(__file__).parents[2]
REFERENCE = (HOUSE / "docs/reference/estate-file.md").read_text(encoding="utf-8")
EXAMPLES = sorted((HOUSE / "examples").glob("*.toml"))

ONE_SITE = """
[[realm]]
name = "EXAMPLE"

[[site]]
code = "PHX"
realm = "EXAMPLE"
server = "PHX01"
"""


def read(text: str) -> Estate:
    return read_estate(text, roles=role_names())


def test_an_empty_file_is_an_empty_estate() -> None:
    assert read("") == Estate()


def test_what_is_left_out_is_usual() -> None:
    estate = read(ONE_SITE)
    assert estate.product == "sms2003"
    assert estate.realm("EXAMPLE") == Realm(RealmName("EXAMPLE"))
    assert estate.site("PHX").kind is SiteKind.PRIMARY


def test_a_realm_with_its_policy() -> None:
    estate = read(
        """
        [[realm]]
        name = "HQ"
        [[realm]]
        name = "EMEA"
        kind = "active-directory"
        replicas = ["dc1", "dc2"]
        replication = "20 s"
        trusts = ["HQ"]
        bind_account = "keyturn"
        policy.history = 2
        policy.grace = "90 min"
        [[account]]
        name = "keyturn"
        realm = "EMEA"
        role = "generic/service"
        """
    )
    assert estate.realm("EMEA") == Realm(
        name=RealmName("EMEA"),
        kind=RealmKind.ACTIVE_DIRECTORY,
        replicas=("dc1", "dc2"),
        replication_s=20,
        trusts=(RealmName("HQ"),),
        policy=RealmPolicy(history=2, grace_s=5400),
        bind_account="keyturn",
    )


def test_a_group_is_read_as_a_group_of_its_pattern() -> None:
    group = """
        [[client_group]]
        name = "PHX-PC"
        site = "PHX"
        kind = "advanced"
        count = 3
        interval = "1 h"
        protocol = "kerberos"
        """
    (read_group,) = read(ONE_SITE + group).groups
    assert (read_group.name, read_group.count, read_group.like.name) == ("PHX-PC", 3, "PHX-PC")
    assert read_group.like.kind is HolderKind.ADVANCED_CLIENT
    assert read_group.like.protocol is LogonProtocol.KERBEROS
    assert [member.name for member in read_group.members()] == ["PHX-PC-0001", "PHX-PC-0002", "PHX-PC-0003"]


def test_a_client_with_every_habit() -> None:
    client = """
        [[client]]
        name = "PC1"
        site = "PHX"
        kind = "legacy"
        interval = 3600
        phase = "1.5 h"
        logon_script = "1 d"
        absences = [["0 s", "12 h"], ["2 d", "16 d"]]
        gated = false
        replica = "dc1"
        max_password_length = 14
        """
    (pc,) = read(ONE_SITE + client).clients
    day = 86400
    assert pc.habit == Habit(3600, 5400, (Absence(0, day / 2), Absence(2 * day, 16 * day)), day)
    assert (pc.gated, pc.replica, pc.max_password_length) == (False, "dc1", 14)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ('"20 s"', 20),
        ('"30 min"', 1800),
        ('"23 h"', 82800),
        ('"14 d"', 1209600),
        ('"0.5 s"', 0.5),
        ("90", 90),
        ("2.5", 2.5),
    ],
)
def test_a_duration_has_a_unit_or_is_seconds(written: str, seconds: float) -> None:
    assert read(f'[[realm]]\nname = "R"\nreplication = {written}').realm("R").replication_s == seconds


def test_a_role_without_a_product_is_one_of_the_files_own() -> None:
    text = 'product = "configmgr"\n' + ONE_SITE
    for name, role in (("naa", "network-access"), ("backup", "generic/service")):
        text += f'[[account]]\nname = "{name}"\nrealm = "EXAMPLE"\nrole = "{role}"\nsites = ["PHX"]\n'
    roles = [managed.role for managed in read(text).accounts]
    assert roles == ["configmgr/network-access", "generic/service"]


def test_an_account_is_only_planned_until_its_identity_is_known() -> None:
    account = '[[account]]\nname = "SMSService"\nrealm = "EXAMPLE"\nrole = "service"\nsites = ["PHX"]'
    (managed,) = read(ONE_SITE + account).accounts
    assert managed == ManagedAccount(
        account=AccountToBe(RealmName("EXAMPLE"), "SMSService"),
        role=RoleName("sms2003/service"),
        sites=(SiteCode("PHX"),),
        life=AccountLife.PLANNED,
    )


@pytest.mark.parametrize("name", ["SMS&_PHX01", "SMS#_PHX01", "SMSCliToknLocalAcct&"])
def test_the_names_that_sms_makes_are_legal(name: str) -> None:
    read(ONE_SITE + f'[[account]]\nname = "{name}"\nrealm = "EXAMPLE"\nrole = "service"')


@pytest.mark.parametrize("reference", ["'EXAMPLE\\svc'", '"EXAMPLE/svc"', '"svc"', '"example/SVC"'])
def test_a_consumer_may_name_an_account_with_its_realm_or_without(reference: str) -> None:
    account = '[[account]]\nname = "svc"\nrealm = "EXAMPLE"\nrole = "service"\n'
    read(ONE_SITE + account + f'[[consumer]]\nname = "backup"\naccounts = [{reference}]')


def test_a_site_may_use_accounts_of_a_realm_that_its_own_trusts() -> None:
    read(
        """
        [[realm]]
        name = "HQ"
        replicas = ["hq1"]
        [[realm]]
        name = "EMEA"
        trusts = ["HQ"]
        [[realm]]
        name = "SQL"
        kind = "sql-server"
        [[site]]
        code = "LON"
        realm = "EMEA"
        server = "LON01"
        [[account]]
        name = "SMSService"
        realm = "HQ"
        role = "service"
        sites = ["LON"]
        [[account]]
        name = "sa"
        realm = "SQL"
        role = "database"
        sites = ["LON"]
        [[client]]
        name = "PC1"
        site = "LON"
        kind = "legacy"
        replica = "hq1"
        """
    )


def test_the_same_name_in_two_domains_is_two_accounts() -> None:
    realms = '[[realm]]\nname = "A"\n[[realm]]\nname = "B"\n'
    accounts = [f'[[account]]\nname = "svc"\nrealm = "{realm}"\nrole = "service"\n' for realm in "AB"]
    assert len(read(realms + "".join(accounts)).accounts) == 2


def test_a_file_from_an_editor_on_windows_is_read() -> None:
    assert read("\N{ZERO WIDTH NO-BREAK SPACE}" + ONE_SITE.replace("\n", "\r\n")) == read(ONE_SITE)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_read_and_survives_an_export(example: Path) -> None:
    estate = read(example.read_text(encoding="utf-8"))
    assert read(write_estate(estate)) == estate


def test_the_examples_show_what_they_promise() -> None:
    estates = {path.name: read(path.read_text(encoding="utf-8")) for path in EXAMPLES}
    hierarchy = estates["hierarchy.toml"]
    assert [site.kind.value for site in hierarchy.sites] == ["central", "primary", "secondary", "primary"]
    assert hierarchy.managed("SMSService").sites == tuple(site.code for site in hierarchy.sites)
    assert len(estates["one-site.toml"].sites) == 1
    assert estates["configmgr.toml"].product == "configmgr"


def test_an_export_reads_as_a_person_would_write_it() -> None:
    text = """\
product = "sms2003"

[[realm]]
name = "EXAMPLE"

[realm.policy]
lockout_window = "90 min"
grace = "0 s"

[[site]]
code = "PHX"
realm = "EXAMPLE"
server = "PHX01"

[[account]]
name = "SMSService"
realm = "EXAMPLE"
role = "service"
sites = ["PHX"]

[[account]]
name = "backup"
realm = "EXAMPLE"
role = "generic/service"

[[client_group]]
name = "PHX-PC"
site = "PHX"
kind = "legacy"
count = 200
absences = [["2 d", "16 d"]]

[[consumer]]
name = "tape"
accounts = ['EXAMPLE\\backup']
interval = 0.5
"""
    assert write_estate(read(text)) == text
    usual = text.replace("count = 200", 'count = 200\ninterval = "23 h"\nprotocol = "ntlm"\ngated = true')
    assert write_estate(read(usual)) == text


def test_an_export_names_living_accounts_without_their_identity() -> None:
    realm, role = RealmName("EXAMPLE"), RoleName("sms2003/service")
    living = ManagedAccount(Account(realm, "S-1-5-21-7", "SMSService2"), role, generation=3, created_at=1.0)
    dead = ManagedAccount(Account(realm, "S-1-5-21-6", "SMSService"), role, life=AccountLife.DELETED)
    written = write_estate(Estate(realms=(Realm(realm),), accounts=(living, dead)))
    assert [managed.account for managed in read(written).accounts] == [AccountToBe(realm, "SMSService2")]
    assert "S-1-5" not in written


# The reference page is checked against the reader: its example, its errors, its keys and its defaults.


def fenced(language: str) -> str:
    match = re.search(rf"```{language}\n(.*?)```", REFERENCE, re.DOTALL)
    assert match
    return match[1]


def documented(heading: str) -> list[list[str]]:
    """The rows of the table of keys below a heading."""
    section = REFERENCE.split(f"\n### {heading}\n")[1].split("\n##")[0].split("| key | value | default |")[1]
    rows = section.split("\n\n")[0].strip().splitlines()[1:]
    return [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]


MINIMAL = {
    "At the top": "",
    "`[[realm]]`": '[[realm]]\nname = "R"\n',
    "`[realm.policy]`": '[[realm]]\nname = "R"\n[realm.policy]\n',
    "`[[site]]`": ONE_SITE,
    "`[[site_system]]`": ONE_SITE + '[[site_system]]\nname = "S"\nsite = "PHX"\n',
    "`[[account]]`": ONE_SITE + '[[account]]\nname = "svc"\nrealm = "EXAMPLE"\nrole = "service"\n',
    "`[[client]]`": ONE_SITE + '[[client]]\nname = "PC"\nsite = "PHX"\nkind = "legacy"\n',
    "`[[client_group]]`": ONE_SITE + '[[client_group]]\nname = "PC"\nsite = "PHX"\nkind = "legacy"\ncount = 1\n',
    "`[[consumer]]`": ONE_SITE + '[[consumer]]\nname = "backup"\naccounts = []\n',
}
CLIENT = {key.strip(" `") for key, _, _ in documented("`[[client]]`")}
ALSO = {
    "At the top": {"realm", "site", "site_system", "client", "client_group", "account", "consumer"},
    "`[[realm]]`": {"policy", "connection"},
    "`[[client_group]]`": CLIENT,
    "`[[consumer]]`": CLIENT - {"kind"},
}


@pytest.mark.parametrize("heading", MINIMAL)
def test_the_reference_lists_the_keys_that_the_reader_takes(heading: str) -> None:
    with pytest.raises(EstateErrors) as caught:
        read(MINIMAL[heading] + "x-unheard-of = 1\n")
    (problem,) = caught.value.problems
    accepted = set(problem.hint.removeprefix("it may have ").split(", "))
    assert accepted == {row[0].strip(" `") for row in documented(heading)} | ALSO.get(heading, set())


@pytest.mark.parametrize("heading", MINIMAL)
def test_the_reference_tells_the_default_of_every_key(heading: str) -> None:
    usual = read(MINIMAL[heading])
    for key, _, default in documented(heading):
        if default.strip() in ("required", "none"):
            continue
        written = f"{key.strip(' `')} = {default.strip(' `')}\n"
        assert read(MINIMAL[heading] + written) == usual, written


def test_the_reference_shows_an_example_and_the_errors_of_one_with_mistakes() -> None:
    example = fenced("toml")
    assert read(example).managed("SMSService").role == "sms2003/service"
    mistaken = example.replace('realm = "EXAMPLE"\nserver', 'realm = "EXAMPEL"\nserver').replace(
        '"service"', '"servcie"'
    )
    with pytest.raises(EstateErrors) as caught:
        read(mistaken)
    assert caught.value.render("estate.toml") == fenced("text").rstrip()
