"""What only the built-in realm promises: its secrets, its refusals, its log of logons and its administration."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.adapters.authorities.builtin import logons
from keyturn.adapters.authorities.builtin.realm import OURSELVES, BuiltinRealm
from keyturn.lifecycle.ports import Rights
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from tests.builtin import REALM, Clock, password, realm_in

NTLM = LogonProtocol.NTLM
WRONG = Secret("Never-was-a-key-0")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def realm(tmp_path: Path, clock: Clock) -> Iterator[BuiltinRealm]:
    realm = realm_in(tmp_path, clock)
    yield realm
    realm.close()


@pytest.fixture
def ada(realm: BuiltinRealm) -> Account:
    return realm.create(AccountToBe(REALM, "ada"), password(1))


# Secrets


def test_only_its_owner_may_read_the_realm(realm: BuiltinRealm, ada: Account, tmp_path: Path) -> None:
    assert {entry.stat().st_mode & 0o777 for entry in tmp_path.iterdir()} == {0o600}


def test_no_password_is_in_the_files(realm: BuiltinRealm, ada: Account, tmp_path: Path) -> None:
    realm.set_password(ada, password(2))
    realm.try_logon(ada, WRONG, protocol=NTLM)
    realm.logon(password(3).reveal(), password(4), protocol=NTLM, source="a password typed as a name")
    kept = b"".join(entry.read_bytes() for entry in tmp_path.iterdir())
    assert b"a password typed as a name" in kept
    for secret in (password(1), password(2), password(3), password(4), WRONG):
        assert secret.reveal().encode() not in kept


def test_a_deleted_account_leaves_no_digest(realm: BuiltinRealm, ada: Account, tmp_path: Path) -> None:
    realm.delete(ada)
    with sqlite3.connect(tmp_path / "realm.db") as rows:
        values = [value for (value,) in rows.execute("SELECT value FROM held WHERE sid = ?", (ada.sid,))]
    rows.close()
    assert len(values) >= 2
    assert not [value for value in values if "digest" in value]


@pytest.mark.parametrize("text", ["Sesame-\ud800-0penly", "Pa\0ss-w0rd-key", "пароль-Ключ-0", "x" * 100_000 + "A-1"])
def test_a_password_is_any_text_to_the_letter(realm: BuiltinRealm, ada: Account, text: str) -> None:
    realm.set_password(ada, Secret(text))
    assert realm.try_logon(ada, Secret(text), protocol=NTLM) is Answer.ACCEPTED
    assert realm.try_logon(ada, Secret(text + " "), protocol=NTLM) is Answer.WRONG_PASSWORD


def test_a_password_in_another_normal_form_is_another_password(realm: BuiltinRealm, ada: Account) -> None:
    realm.set_password(ada, Secret("Caf\u00e9-au-lait-1"))
    assert realm.try_logon(ada, Secret("Cafe\u0301-au-lait-1"), protocol=NTLM) is Answer.WRONG_PASSWORD


# What it refuses

POLICY = RealmPolicy(min_length=8, complexity=True)
REFUSED = [
    ("Short-1", "shorter than 8"),
    ("only-lower-case", "three classes"),
    ("ONLYUPPER12345", "three classes"),
    ("lower1234and", "three classes"),
    ("My-name-is-ADA-1", "contains the account's name"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_a_password_against_the_policy_is_refused(realm: BuiltinRealm, ada: Account, text: str, why: str) -> None:
    realm.administration.set_policy(POLICY)
    with pytest.raises(AuthorityError, match=why) as raised:
        realm.set_password(ada, Secret(text))
    assert raised.value.permanent
    assert text not in str(raised.value)


def test_without_complexity_only_the_length_matters(realm: BuiltinRealm, ada: Account) -> None:
    realm.administration.set_policy(replace(POLICY, complexity=False))
    realm.set_password(ada, Secret("ada-ada-ada"))
    assert realm.try_logon(ada, Secret("ada-ada-ada"), protocol=NTLM) is Answer.ACCEPTED


def test_the_accounts_own_policy_judges_its_passwords(realm: BuiltinRealm, ada: Account) -> None:
    realm.administration.set_account_policy(ada, RealmPolicy(min_length=20))
    with pytest.raises(AuthorityError, match="shorter than 20"):
        realm.set_password(ada, password(2))
    realm.administration.set_account_policy(ada, None)
    realm.set_password(ada, password(2))


@pytest.mark.parametrize("name", ["", "   ", "HEARTH\\ada", "a/b", "a\nb", "a\ud800", "\uff3c", "x" * 257])
def test_a_name_that_no_account_can_bear_is_refused_and_finds_nobody(realm: BuiltinRealm, name: str) -> None:
    with pytest.raises(AuthorityError) as raised:
        realm.create(AccountToBe(REALM, name), password(1))
    assert raised.value.permanent
    assert realm.find(name) is None
    assert realm.logon(name, password(1), protocol=NTLM, source="h").answer is Answer.UNKNOWN_ACCOUNT


def test_a_long_name_is_not_cut_down_to_an_account(realm: BuiltinRealm, ada: Account) -> None:
    stretched = "ada" + " " * 1000 + "lovelace"
    assert realm.logon(stretched, password(1), protocol=NTLM, source="h").answer is Answer.UNKNOWN_ACCOUNT


def test_a_replica_that_does_not_exist_is_named(realm: BuiltinRealm, ada: Account) -> None:
    with pytest.raises(NotFound, match="no replica dc9"):
        realm.try_logon(ada, password(1), protocol=NTLM, replica="dc9")


# The log of logons


def test_the_log_says_who_came_from_where_and_what_the_realm_said(
    realm: BuiltinRealm, ada: Account, clock: Clock
) -> None:
    realm.logon("ADA", password(1), protocol=NTLM, source="CLIENT-0001")
    clock.turn(1)
    realm.logon("grace", WRONG, protocol=LogonProtocol.KERBEROS, source="CLIENT-0002")
    realm.try_logon(ada, WRONG, protocol=LogonProtocol.LDAP)
    told = [(e.at, e.replica, e.account, e.source, e.protocol, e.answer, e.version) for e in realm.logons(0)]
    began = clock.now - 1
    assert told == [
        (began, "dc1", ada, "CLIENT-0001", NTLM, Answer.ACCEPTED, 1),
        (clock.now, "dc1", None, "CLIENT-0002", LogonProtocol.KERBEROS, Answer.UNKNOWN_ACCOUNT, None),
        (clock.now, "dc1", ada, OURSELVES, LogonProtocol.LDAP, Answer.WRONG_PASSWORD, None),
    ]
    assert [e.number for e in realm.logons(clock.now)] == [2, 3]
    assert realm.failed_logons(0) == 2
    assert realm.failed_logons(0, ada) == 1
    assert realm.failed_logons(clock.now + 1) == 0


def test_a_logon_by_grace_is_logged_with_the_version_it_proved(realm: BuiltinRealm, ada: Account) -> None:
    for number in (2, 3, 4, 5):
        realm.set_password(ada, password(number))
    for number in (5, 4, 3, 1):
        realm.logon("ada", password(number), protocol=NTLM, source="h")
    assert [(e.answer, e.version, e.current) for e in realm.logons(0)] == [
        (Answer.ACCEPTED, 5, True),
        (Answer.ACCEPTED, 4, False),
        (Answer.WRONG_PASSWORD, 3, False),
        (Answer.WRONG_PASSWORD, 1, False),
    ]


def test_the_log_forgets_the_oldest(realm: BuiltinRealm, ada: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logons, "KEPT", 3)
    for _ in range(5):
        realm.logon("ada", password(1), protocol=NTLM, source="x" * 10_000)
    assert [(e.number, len(e.source)) for e in realm.logons(0)] == [(3, 255), (4, 255), (5, 255)]


def test_an_unknown_name_takes_the_same_steps_as_a_wrong_password(realm: BuiltinRealm, ada: Account) -> None:
    def steps(name: str) -> list[str]:
        taken: list[str] = []
        with realm._database.transaction() as rows:
            rows.set_trace_callback(lambda statement: taken.append(statement.split()[0]))
        realm.logon(name, WRONG, protocol=NTLM, source="h")
        with realm._database.transaction() as rows:
            rows.set_trace_callback(None)
        return taken

    assert steps("nobody") == steps("ada")


# Administration


def test_the_accounts_are_listed_by_name(realm: BuiltinRealm, ada: Account) -> None:
    grace = realm.create(AccountToBe(REALM, "Grace"), password(1))
    barbara = realm.create(AccountToBe(REALM, "barbara"), password(1))
    realm.delete(barbara)
    assert realm.administration.accounts() == (ada, grace)


def test_a_renamed_account_keeps_its_identity_and_password(realm: BuiltinRealm, ada: Account) -> None:
    renamed = realm.administration.rename(ada, " Lovelace ")
    assert renamed == ada
    assert realm.find("LOVELACE") == ada
    assert realm.find("ada") is None
    assert realm.describe(ada).account.name == "Lovelace"
    assert realm.logon("lovelace", password(1), protocol=NTLM, source="h").answer is Answer.ACCEPTED


def test_a_name_that_is_taken_is_not_given_by_renaming(realm: BuiltinRealm, ada: Account) -> None:
    realm.create(AccountToBe(REALM, "grace"), password(1))
    with pytest.raises(AuthorityError, match="exists already") as raised:
        realm.administration.rename(ada, "GRACE")
    assert raised.value.permanent
    assert realm.administration.rename(ada, "ADA").name == "ADA"


def test_groups_are_compared_by_name(realm: BuiltinRealm, ada: Account) -> None:
    grace = realm.create(AccountToBe(REALM, "grace"), password(1))
    realm.grant(ada, Rights(groups=frozenset({"SMS Admins"}), grants=frozenset({"read inventry.box"})))
    realm.grant(grace, Rights(groups=frozenset({"sms admins"}), grants=frozenset({"READ INVENTRY.BOX"})))
    assert realm.rights(grace) == realm.rights(ada)


def test_an_identity_is_never_given_again(realm: BuiltinRealm, ada: Account) -> None:
    realm.delete(ada)
    again = realm.create(AccountToBe(REALM, "ada"), password(1))
    assert again.sid != ada.sid
    with pytest.raises(NotFound):
        realm.describe(ada)
