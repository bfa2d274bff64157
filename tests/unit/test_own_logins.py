"""The account Keyturn reaches a realm with: taken in by itself, once, and never guessed at."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.lifecycle.budgeted import Budgeted
from keyturn.model.accounts import Account, AccountToBe, RealmName
from keyturn.model.errors import AuthorityError, Refused
from keyturn.model.secret import Secret
from keyturn.operations import accounts
from keyturn.operations.own_logins import own_login
from tests.estates import HEAD, INSTALLATION, account
from tests.inner_site import InnerSite, site_in

OWN = "CORP\\KtBind"
ESTATE = HEAD.replace('name = "CORP"', 'name = "CORP"\nbind_account = "CORP/KtBind"', 1) + account("KtBind", "service")
RIGHT, WRONG = Secret("Maple7Rain-42x"), Secret("Not-7-this-one")


class Door:
    """The realm as the account itself reaches it."""

    def __init__(self, site: InnerSite, secret: Secret) -> None:
        self._realm = site.realm("CORP")
        self._right = secret == RIGHT

    def find(self, name: str) -> Account | None:
        if not self._right:
            raise AuthorityError("the realm refuses the logon", permanent=True)
        return self._realm.find(name)

    def __getattr__(self, verb: str) -> object:
        return getattr(self._realm, verb)


class Reaching:
    """Hands out the realm by another login, and counts how often."""

    def __init__(self) -> None:
        self.site: InnerSite | None = None
        self.times = 0

    def __call__(self, realm: str, name: str, secret: Secret) -> Budgeted:
        assert self.site is not None
        self.times += 1
        return Budgeted(Door(self.site, secret), self.site.store, self.site.clock)  # type: ignore[arg-type]


@pytest.fixture
def reaching() -> Reaching:
    return Reaching()


@pytest.fixture
def site(tmp_path: Path, reaching: Reaching) -> Iterator[InnerSite]:
    """The account is in its realm, made by somebody else."""
    site = site_in(tmp_path, ESTATE, wrap=lambda parts: replace(parts, reached_by=reaching))
    reaching.site = site
    site.realm().create(AccountToBe(RealmName("CORP"), "KtBind"), RIGHT)
    yield site
    site.close()


def adopt(site: InnerSite, secret: Secret) -> None:
    accounts.adopt(site.parts, OWN, secret, by="olga")


def test_before_it_is_taken_in_the_realm_cannot_be_reached_and_it_is_said_how(site: InnerSite) -> None:
    with pytest.raises(Refused, match="does not know the password") as refused:
        own_login(site.store, site.store.estate().realm("CORP"))
    assert "keyturn account adopt" in refused.value.hint


def test_it_is_taken_in_by_itself(site: InnerSite) -> None:
    adopt(site, RIGHT)
    account, secret = own_login(site.store, site.store.estate().realm("CORP"))
    assert (str(account), secret) == (OWN, RIGHT)
    assert not isinstance(account, AccountToBe)


def test_a_wrong_password_of_it_is_tried_once_in_the_realms_window(site: InnerSite, reaching: Reaching) -> None:
    with pytest.raises(Refused, match="the realm refuses the logon") as refused:
        adopt(site, WRONG)
    assert "on (in 30 min), so that it is not locked" in refused.value.hint
    with pytest.raises(Refused, match="one bad attempt of ours"):
        adopt(site, RIGHT)
    site.clock.turn(site.store.estate().realm("CORP").policy.lockout_window_s + 1)
    adopt(site, RIGHT)


def test_a_realm_without_such_an_account_says_what_to_write(site: InnerSite) -> None:
    with pytest.raises(Refused, match="names no account") as refused:
        own_login(site.store, replace(site.store.estate().realm("CORP"), bind_account=None))
    assert "bind_account = 'CORP/NAME'" in refused.value.hint


def test_others_are_taken_in_by_keyturns_own_login(tmp_path: Path, reaching: Reaching) -> None:
    site = site_in(tmp_path, INSTALLATION, wrap=lambda parts: replace(parts, reached_by=reaching))
    site.realm().create(AccountToBe(RealmName("CORP"), "KtInstall"), RIGHT)
    accounts.adopt(site.parts, "CORP\\KtInstall", RIGHT, by="olga")
    assert reaching.times == 0
    site.close()
