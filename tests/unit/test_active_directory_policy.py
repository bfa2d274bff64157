"""An account and the policy in force for it, read from what a controller shows of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

pytest.importorskip("ldap", reason="the extra `directory` is not installed")

from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.active_directory.policy import account_and_policy
from keyturn.adapters.authorities.active_directory.session import Session
from keyturn.model.accounts import Account, RealmName
from keyturn.model.errors import AuthorityError, NotFound
from keyturn.model.policy import RealmPolicy

BASE, USER = "DC=corp,DC=example", "CN=svc-app,CN=Users,DC=corp,DC=example"
DOMAIN_SID, SID = "S-1-5-21-1-2-3", "S-1-5-21-1-2-3-1104"
ACCOUNT = Account(RealmName("CORP"), SID, "svc-app")
UNREAD = RealmPolicy(grace_s=3600)

_OCTETS = {
    DOMAIN_SID: bytes.fromhex("010400000000000515000000010000000200000003000000"),
    SID: bytes.fromhex("01050000000000051500000001000000020000000300000050040000"),
}


@dataclass
class Controller:
    """Stands where the library's connection does: what it shows, by identity, and what it was asked."""

    shown: Mapping[str, tuple[str, Mapping[str, bytes]]]
    asked: list[str] = field(default_factory=list)

    def search_s(
        self, base: str, scope: int, condition: str, attributes: Sequence[str]
    ) -> list[tuple[str, dict[str, list[bytes]]]]:
        self.asked.append(condition)
        return [
            (dn, {"objectSid": [_OCTETS[sid]]} | {name: [value] for name, value in values.items()})
            for sid, (dn, values) in self.shown.items()
            if f"(objectSid={sid})" in condition
        ]

    def session(self) -> Session:
        return Session(cast("SimpleLDAPObject", self), "dc1", BASE)


DOMAIN = (BASE, {"lockoutThreshold": b"5", "pwdHistoryLength": b"24", "pwdProperties": b"1"})
STATE = (USER, {"sAMAccountName": b"svc-app", "badPwdCount": b"2"})


def test_an_account_and_its_policy_are_one_reading() -> None:
    controller = Controller({SID: STATE, DOMAIN_SID: DOMAIN})
    entry, policy = account_and_policy(controller.session(), ACCOUNT, UNREAD)
    assert (entry.text("sAMAccountName"), entry.number("badPwdCount")) == ("svc-app", 2)
    assert (policy.lockout_threshold, policy.history, policy.grace_s) == (5, 24, 3600)
    assert len(controller.asked) == 1


@pytest.mark.parametrize("domain", [{}, {DOMAIN_SID: (BASE, {"pwdHistoryLength": b"24"})}])
def test_a_domain_that_shows_no_threshold_is_not_taken_for_one_that_never_locks(
    domain: Mapping[str, tuple[str, Mapping[str, bytes]]],
) -> None:
    controller = Controller({SID: STATE, **domain})
    with pytest.raises(AuthorityError, match=f"the policy {BASE}") as raised:
        account_and_policy(controller.session(), ACCOUNT, UNREAD)
    assert raised.value.permanent


def test_a_domain_without_the_account_is_not_the_account() -> None:
    with pytest.raises(NotFound):
        account_and_policy(Controller({DOMAIN_SID: DOMAIN}).session(), ACCOUNT, UNREAD)


@pytest.mark.parametrize("sid", ["", "S-1-5)(objectClass=*", "uid=svc-app"])
def test_what_is_no_identity_of_a_domain_is_asked_of_nobody(sid: str) -> None:
    controller = Controller({})
    with pytest.raises(NotFound):
        account_and_policy(controller.session(), Account(ACCOUNT.realm, sid, "svc-app"), UNREAD)
    assert controller.asked == []
