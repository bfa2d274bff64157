"""Packages that bring kinds of realms and of consumers, and what becomes of their mistakes."""

from pathlib import Path
from textwrap import dedent

import pytest

from keyturn.adapters.authorities.kinds import kinds_of_realms
from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.authorities.realms import maker_of, refuse_unreachable
from keyturn.agent.consumers.handing import Handing, NotHanded
from keyturn.agent.consumers.settings import PluginConsumer, read_consumers
from keyturn.agent.records import Copy
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import Account, RealmName
from keyturn.model.errors import AuthorityError, NotFound, Refused
from keyturn.model.estate import Estate, Realm
from keyturn.model.secret import Secret
from keyturn.operations.plugins import CONSUMERS
from keyturn.wire.estate_file.problems import EstateErrors
from keyturn.wire.estate_file.reading import read_estate
from tests.plugins import make_package

ACME = RealmName("ACME")
ACCOUNT = Account(ACME, "1", "svc-app")
PASSWORD = Secret("Canary-of-the-plug-in")
NOTHING = "def make(*_): pass"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def opened(kind: str) -> Authority:
    def nobody() -> Login:
        raise AssertionError("a file has no logon")

    return maker_of(kind)(Realm(ACME, kind), nobody)


# Realms.


def test_a_kind_that_two_packages_bring_is_opened_by_neither(packages: Path) -> None:
    make_package(packages, "twin_one", ["twin-vault"], NOTHING)
    make_package(packages, "twin_two", ["twin-vault"], NOTHING)
    with pytest.raises(Refused, match=r"twin-vault is brought by twin_one 1\.2\.3 and by twin_two 1\.2\.3"):
        opened("twin-vault")


def test_a_kind_of_keyturns_own_is_not_taken_over(packages: Path) -> None:
    make_package(packages, "greedy", ["builtin", "postgresql"], NOTHING)
    told = {found.kind: found.trouble for found in kinds_of_realms() if found.package == "greedy"}
    assert told == dict.fromkeys(("builtin", "postgresql"), "Keyturn brings this kind itself")
    assert maker_of("postgresql").__module__ == "keyturn.adapters.authorities.postgresql.authority"


def test_a_package_that_cannot_be_loaded_is_named_and_leaves_the_others_alone(packages: Path) -> None:
    make_package(packages, "leaver", ["leaver"], "raise SystemExit(3)")
    make_package(packages, "stayer", ["stayer"], NOTHING)
    told = {found.kind: found.trouble for found in kinds_of_realms()}
    assert told["leaver"] == "leaver 1.2.3 cannot be loaded: SystemExit: 3"
    assert told["stayer"] == told["builtin"] == ""


def test_what_makes_no_authority_is_told_before_an_estate_is_taken_in(packages: Path) -> None:
    make_package(packages, "constant", ["constant"], "make = 42")
    make_package(packages, "clumsy", ["clumsy"], "def make(realm): pass")
    for kind, said in (("constant", "by something that makes no authority"), ("clumsy", "could not open realm ACME")):
        with pytest.raises(Refused, match=said):
            refuse_unreachable(Estate(realms=(Realm(ACME, kind, connection=(("path", "/"),)),)))


def test_a_mistake_of_a_plug_in_is_its_own_and_tells_no_password(packages: Path) -> None:
    module = """
        from keyturn.model.errors import NotFound

        class Vault:
            def find(self, name):
                raise NotFound(f"no {name}")

            def set_password(self, account, secret):
                raise ValueError("cannot parse " + secret.reveal())

        def make(realm, logins):
            return Vault()
    """
    make_package(packages, "talker", ["talker"], dedent(module))
    authority = opened("talker")
    with pytest.raises(AuthorityError) as raised:
        authority.set_password(ACCOUNT, PASSWORD)
    assert str(raised.value) == "talker 1.2.3 failed at set_password: ValueError at talker.py:9"
    assert not raised.value.permanent
    assert raised.value.__suppress_context__, "a log would show what it said"
    with pytest.raises(NotFound, match="no svc-app"):
        authority.find("svc-app")
    with pytest.raises(AuthorityError, match=r"failed at delete: AttributeError"):
        authority.delete(ACCOUNT)


def test_an_estate_may_name_the_kinds_there_are_or_any_where_they_are_not_known() -> None:
    text = '[[realm]]\nname = "ACME"\nkind = "acme-keys"\n'
    for kinds in (["acme-keys"], None):
        [realm] = read_estate(text, roles=(), kinds=kinds).realms
        assert realm.kind == "acme-keys"
    with pytest.raises(EstateErrors) as raised:
        read_estate(text, roles=(), kinds=["acme-vault"])
    [problem] = raised.value.problems
    assert problem.message.endswith("sql-server, local, acme-vault, not acme-keys")


# Consumers.


def consumer(kind: str, settings: str = "") -> PluginConsumer:
    [found] = read_consumers(
        f'[[consumer]]\naccount = "ACME/svc-app"\nkind = "{kind}"\n[consumer.settings]\n{settings}'
    )
    assert isinstance(found, PluginConsumer)
    return found


def handed(found: PluginConsumer) -> NotHanded | None:
    def nothing_kept(path: Path, content: Secret) -> None:
        raise AssertionError("only a file is kept")

    return Handing((found,), nothing_kept).hand_over(Copy("ACME\\svc-app", 3, b""), PASSWORD)


def test_a_consumer_is_opened_with_its_settings_and_told_apart_by_them(packages: Path) -> None:
    module = """
        from keyturn.agent.consumers.plugins import Health

        class Notes:
            def __init__(self, settings):
                self.settings = settings

            def holds(self, credential, secret):
                return False

            def adopt(self, credential, secret):
                with open(self.settings["path"], "w") as file:
                    file.write(f"{credential} {len(secret.reveal())}")
                return Health()

            def verify(self, credential):
                return Health()

        make = Notes
    """
    make_package(packages, "notes", ["notes"], dedent(module), CONSUMERS)
    note = packages / "note"
    found = consumer("notes", f'path = "{note}"')
    assert found.title == f"notes path={note}"
    assert handed(found) is None
    assert note.read_text() == f"ACME\\svc-app generation 3 {len(PASSWORD.reveal())}"


@pytest.mark.parametrize(
    ("name", "module", "reason"),
    [
        ("unloaded", "raise ImportError('no libacme')", "unloaded 1.2.3 cannot be loaded: ImportError: no libacme"),
        ("numeral", "make = 42", "numeral 1.2.3 brings numeral by something that makes no consumer"),
        ("fussy", "def make(settings): return settings['path']", "fussy failed: KeyError at fussy.py:1"),
    ],
)
def test_a_consumer_that_fails_is_named_with_its_reason(packages: Path, name: str, module: str, reason: str) -> None:
    make_package(packages, name, [name], module, CONSUMERS)
    assert handed(consumer(name)) == NotHanded("ACME\\svc-app", name, reason)


def test_a_consumer_that_nobody_brings_is_named_with_those_there_are(packages: Path) -> None:
    make_package(packages, "present", ["present"], NOTHING, CONSUMERS)
    found = handed(consumer("absent"))
    assert found is not None
    assert found.reason.startswith("no plug-in installed here brings absent (")
    assert "present" in found.reason


@pytest.mark.parametrize("how", ["return Health(secret.reveal())", "raise ValueError(secret.reveal())"])
def test_a_consumer_cannot_tell_the_password(packages: Path, how: str) -> None:
    name = f"leaky_{how.split()[0]}"
    module = f"""
        from keyturn.agent.consumers.plugins import Health

        class Leaky:
            def holds(self, credential, secret):
                return False

            def adopt(self, credential, secret):
                {how}

        def make(settings):
            return Leaky()
    """
    make_package(packages, name, [name], dedent(module), CONSUMERS)
    found = handed(consumer(name))
    assert found is not None
    assert PASSWORD.reveal() not in found.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("settings = 3", "consumer 1: settings must be a table of texts in quotes"),
        ("settings = { port = 3 }", "consumer 1: settings must be a table of texts in quotes"),
        ('path = "/etc/x"', "consumer 1: path is no key of it"),
    ],
)
def test_settings_that_are_none_are_refused(text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_consumers(f'[[consumer]]\naccount = "ACME/svc-app"\nkind = "notes"\n{text}\n')
