"""What `keyturn realm check` finds: who can be worked with, and what stands in the way."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyturn.lifecycle.ports import Rights
from keyturn.model.accounts import Account
from keyturn.model.errors import AuthorityError
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations.delegation import MissingRight
from keyturn.operations.realm_checks import check_realm
from tests.estates import INSTALLATION
from tests.inner_site import InnerSite, site_in

NAME = "CORP\\KtInstall"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InnerSite]:
    site = site_in(tmp_path, INSTALLATION)
    site.create(NAME)
    yield site
    site.close()


def test_a_realm_in_which_everything_is_well_is_fit(site: InnerSite) -> None:
    found = check_realm(site.parts, "corp")
    assert found.fit
    [examined] = found.accounts
    assert str(examined.account) == NAME
    assert examined.state is not None
    assert [replica.replica for replica in examined.state.replicas] == ["dc1", "dc2"]


def test_an_account_that_is_only_planned_is_no_trouble_and_one_that_vanished_is(site: InnerSite) -> None:
    account = the_account(site)
    site.realm().delete(account)
    [examined] = check_realm(site.parts, "CORP").accounts
    assert examined.trouble
    assert not check_realm(site.parts, "CORP").fit


def test_a_locked_account_is_told_with_the_way_out(site: InnerSite) -> None:
    for _ in range(5):
        site.realm().try_logon(the_account(site), Secret("Not-7-this-one"), protocol=LogonProtocol.NTLM)
    found = check_realm(site.parts, "CORP")
    assert [f"keyturn account unlock '{NAME}'" in trouble for trouble in found.troubles] == [True]


def test_a_realm_that_locks_at_once_proves_nothing(site: InnerSite) -> None:
    site.realm().administration.set_policy(RealmPolicy(lockout_threshold=1))
    assert any("first bad attempt" in trouble for trouble in check_realm(site.parts, "CORP").troubles)


def test_a_realm_that_does_not_answer_is_told_and_not_raised(site: InnerSite) -> None:
    def nobody(realm: str) -> Any:
        raise AuthorityError("CORP does not answer", permanent=False, hint="is it on?")

    found = check_realm(replace(site.parts, authorities=nobody), "CORP")
    assert found.troubles == ("CORP does not answer (is it on?)",)
    assert not found.fit


def test_an_own_account_with_far_too_many_rights_is_told(site: InnerSite) -> None:
    """Whoever takes the server over would have the realm."""
    site.realm().grant(the_account(site), Rights(groups=frozenset({"Domain Admins"})))
    estate = site.store.estate()
    bound = replace(estate.realm("CORP"), bind_account=NAME)
    store = Reading(site, replace(estate, realms=(replace(bound, kind="openldap"),)))  # type: ignore[arg-type]
    found = check_realm(replace(site.parts, store=store), "CORP")  # type: ignore[arg-type]
    assert found.works_as == NAME
    assert any("Domain Admins" in trouble for trouble in found.troubles)


def test_an_own_account_that_was_accepted_with_its_rights_is_no_trouble(site: InnerSite) -> None:
    site.realm().grant(the_account(site), Rights(groups=frozenset({"Domain Admins"})))
    estate = site.store.estate()
    bound = replace(estate.realm("CORP"), bind_account=NAME, connection=(("domain_admin", "accepted"),))
    store = Reading(site, replace(estate, realms=(replace(bound, kind="openldap"),)))
    assert check_realm(replace(site.parts, store=store), "CORP").troubles == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("vital", [True, False])
def test_a_realm_is_fit_without_a_right_that_no_rotation_needs(site: InnerSite, vital: bool) -> None:
    right = MissingRight("set passwords", "OU=Keyturn", ("dsacls …",), vital=vital)
    found = check_realm(replace(site.parts, delegation=lambda _: Lacking(right)), "CORP")
    assert found.missing == (right,)
    assert found.fit is not vital


class Lacking:
    def __init__(self, right: MissingRight) -> None:
        self._right = right

    def missing_rights(self, accounts: Collection[Account]) -> tuple[MissingRight, ...]:
        return (self._right,)


class Reading:
    """The store with another estate."""

    def __init__(self, site: InnerSite, estate: object) -> None:
        self._site, self._estate = site, estate

    def estate(self) -> object:
        return self._estate

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._site.store, verb)


def the_account(site: InnerSite) -> Account:
    account = site.store.estate().managed(NAME).account
    assert isinstance(account, Account)
    return account
