"""A real domain looked around in, and what Keyturn's account may do there held against what the domain itself says."""

import math
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import ldap
import pytest

from keyturn.adapters.authorities.active_directory.authority import ActiveDirectory, open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.operations.discovery import Certainty, FoundAccount, discover
from keyturn.operations.surveys import Candidate, PublishedSite, Survey
from tests import system_management
from tests.inner_site import InnerSite, site_in
from tests.samba import ADMINISTRATOR, BASE, OUR_UNIT, OURS, REALM, Samba, running

PEOPLE = 300
FIRST = Secret("Turn-the-key-0001")
WEAK = Login("kt-weak", Secret("Has-no-rights-0001"))
NEVER_EXPIRES = 0x10000
LOCKOUT_TIME = "28630ebf-41d5-11d1-a9c1-0000f80367c1"
ESTATE = f"""
product = "generic"
[[realm]]
name = "{REALM}"
kind = "active-directory"
[[account]]
name = "kt-known"
realm = "{REALM}"
role = "service"
"""


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running() as samba:
        samba.adlab("ex", "dc1", "samba-tool", "user", "create", WEAK.name, WEAK.secret.reveal())
        populate(samba)
        yield samba


def populate(samba: Samba) -> None:
    administrator = samba.administer()

    def add(name: str, place: str = f"CN=Users,{BASE}", **values: str) -> str:
        dn = f"CN={name},{place}"
        wanted = {"objectClass": "user", "sAMAccountName": name, "userAccountControl": "514"} | values
        administrator.add_s(dn, [(key, [value.encode()]) for key, value in wanted.items()])
        return dn

    for number in range(PEOPLE):
        add(f"person{number:04d}", givenName="A", sn=f"Person {number}", mail=f"p{number}@corp.example")
    add("kt-known", OUR_UNIT)
    add("kt-reports", OUR_UNIT, servicePrincipalName="HTTP/app1", description="password is Maple7Rain")
    add("kt-nightly", OUR_UNIT, description="backup of db1", userAccountControl=str(514 | NEVER_EXPIRES))
    deep = add("kt-deep", OUR_UNIT)
    outer = f"CN=kt-outer,{OUR_UNIT}"
    administrator.add_s(outer, [("objectClass", [b"group"]), ("sAMAccountName", [b"kt-outer"])])
    administrator.modify_s(outer, [(ldap.MOD_ADD, "member", [deep.encode()])])
    administrator.modify_s(f"CN=Domain Admins,CN=Users,{BASE}", [(ldap.MOD_ADD, "member", [outer.encode()])])
    managed = f"CN=kt-managed,CN=Managed Service Accounts,{BASE}"
    administrator.add_s(
        managed,
        [
            ("objectClass", [b"msDS-GroupManagedServiceAccount"]),
            ("sAMAccountName", [b"kt-managed$"]),
            ("msDS-ManagedPasswordInterval", [b"30"]),
            ("userAccountControl", [b"4096"]),
        ],
    )
    administrator.unbind_s()


@pytest.fixture
def authority(samba: Samba) -> ActiveDirectory:
    return opened(samba)


def opened(samba: Samba, login: Login = OURS, **settings: str) -> ActiveDirectory:
    authority = open_authority(samba.realm(**settings), lambda: login)
    assert isinstance(authority, ActiveDirectory)
    return authority


@pytest.fixture
def survey(authority: ActiveDirectory) -> Survey:
    return authority.survey(time.time())


def candidate(survey: Survey, name: str) -> Candidate:
    return next(candidate for candidate in survey.candidates if candidate.name == name)


# What is found


def test_every_user_is_seen_however_many_pages_it_takes(
    samba: Samba, authority: ActiveDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyturn.adapters.authorities.active_directory.session._PAGE", 100)
    names = [candidate.name for candidate in authority.survey(time.time()).candidates]
    assert len(names) == len(set(names))
    assert {f"person{number:04d}" for number in range(PEOPLE)} <= set(names)
    assert not {"krbtgt", "Administrator", "Guest"} & set(names)


def test_what_a_user_shows_is_told(samba: Samba, survey: Survey) -> None:
    reports = candidate(survey, "kt-reports")
    assert (reports.services, reports.units, reports.enabled) == (("HTTP/app1",), ("Keyturn",), False)
    assert candidate(survey, "person0001").person
    nightly = candidate(survey, "kt-nightly")
    assert nightly.never_expires
    assert not nightly.person


def test_who_never_logged_on_is_told_from_who_did(survey: Survey) -> None:
    assert candidate(survey, "kt-known").idle_s == math.inf
    assert candidate(survey, OURS.name).idle_s < 3600  # type: ignore[operator]


def test_a_user_that_is_in_a_strong_group_by_way_of_another_is_told(survey: Survey) -> None:
    assert candidate(survey, "kt-deep").strong_groups == ("Domain Admins",)


def test_a_fine_grained_policy_is_named_with_whom_it_is_in_force_for(samba: Samba, authority: ActiveDirectory) -> None:
    with samba.own_policy("kt-nightly", threshold=3, duration_s=0):
        survey = authority.survey(time.time())
    assert candidate(survey, "kt-nightly").policy == "kt-nightly"
    assert candidate(survey, "kt-reports").policy == ""
    of_domain, own = survey.policies
    assert (of_domain.policy.lockout_threshold, own.name, own.policy.lockout_threshold) == (5, "kt-nightly", 3)


def test_controllers_are_named_the_pdc_emulator_first(survey: Survey) -> None:
    assert survey.servers == ("dc1.corp.example", "dc2.corp.example")


def test_accounts_whose_passwords_the_domain_changes_are_named_and_left_out(survey: Survey) -> None:
    left = {left.why.split()[0]: left for left in survey.left_out}
    assert left["managed"].names == ("kt-managed$",)
    assert left["computers"].count == 3, "two controllers and a file server"
    assert "kt-managed$" not in [candidate.name for candidate in survey.candidates]


def test_sites_that_sms_has_published_are_read_by_keyturns_own_login(samba: Samba, authority: ActiveDirectory) -> None:
    assert authority.survey(time.time()).sites == (), "a domain whose schema was never extended"
    system_management.extend_schema(samba)
    system_management.publish(samba)
    assert authority.survey(time.time()).sites == (
        PublishedSite("PHX", ("MP2", "SRV-PHX"), ("SRV-PHX",), ("10.1.0.0", "Default-First-Site-Name")),
        PublishedSite("SEC", boundaries=("192.168.0.1-192.168.0.254",)),
    )


@pytest.fixture
def site(tmp_path: Path, samba: Samba, authority: ActiveDirectory) -> Iterator[InnerSite]:
    site = site_in(
        tmp_path,
        ESTATE,
        real={REALM: authority},
        wrap=lambda parts: replace(parts, discovery=lambda _: authority, delegation=lambda _: authority),
    )
    yield site
    site.close()


def test_services_are_told_from_people_and_those_of_the_estate_are_marked(site: InnerSite) -> None:
    found = {each.candidate.name: each for each in discover(site.parts, REALM, by="olga").accounts}
    assert shown(found["kt-reports"]) == (Certainty.LIKELY, False)
    assert shown(found["kt-known"]) == (Certainty.NONE, True)
    assert not any(name.startswith("person") for name in found)
    assert "realm-surveyed" in [event.kind for event in site.store.since()]


def shown(found: FoundAccount) -> tuple[Certainty, bool]:
    return found.verdict.certainty, found.known


def test_a_realm_that_lists_nothing_says_what_to_do_instead(tmp_path: Path) -> None:
    site = site_in(tmp_path, ESTATE.replace("active-directory", "builtin"))
    with pytest.raises(Refused) as raised:
        discover(site.parts, REALM, by="olga")
    assert "keyturn estate export" in raised.value.hint
    site.close()


# What Keyturn may do


@pytest.fixture
def account(authority: ActiveDirectory) -> Iterator[Account]:
    account = authority.create(AccountToBe(REALM, "kt-rights"), FIRST)
    yield account
    authority.delete(account)


def test_the_rights_of_the_how_to_are_all_that_is_needed(
    samba: Samba, authority: ActiveDirectory, account: Account
) -> None:
    samba.adlab("ex", "dc1", "samba-tool", "group", "addmembers", "Keyturn Contract", account.name)
    assert authority.missing_rights([account]) == ()


def test_every_right_that_is_missing_is_named_and_its_command_gives_it(samba: Samba, account: Account) -> None:
    samba.adlab("ex", "dc1", "samba-tool", "group", "addmembers", "Keyturn Contract", account.name)
    weak = opened(samba, WEAK)
    missing = weak.missing_rights([account])
    assert [(right.right, right.vital) for right in missing] == [
        ("set passwords", True),
        ("unlock", True),
        ("enable and disable", False),
        ("make and delete users", False),
        ("change the members", False),
        ("read fine-grained policies", True),
    ]
    for number, right in enumerate(missing):
        samba.adlab("ex", "dc1", *shlex.split(right.commands[1]))
        assert weak.missing_rights([account]) == missing[number + 1 :]
    weak.set_password(account, Secret("Turn-the-key-0002"))
    weak.disable(account)


def test_what_is_read_from_the_lists_is_what_the_domain_itself_says(samba: Samba, account: Account) -> None:
    """`allowedAttributesEffective` is computed by the controller (MS-ADTS 3.1.1.4.5.21)."""
    dn = samba.dn(account.name)
    for login in (OURS, Login(account.name, FIRST)):
        mine = opened(samba, login)
        with mine._controllers.session() as session:
            entry = session.read(dn, ("allowedAttributesEffective",))
            unit = session.read(OUR_UNIT, ("allowedChildClassesEffective",))
        assert entry is not None
        assert unit is not None
        missing = {right.right for right in mine.missing_rights([account])}
        assert ("lockoutTime" in entry.texts("allowedAttributesEffective")) == ("unlock" not in missing)
        assert ("userAccountControl" in entry.texts("allowedAttributesEffective")) == (
            "enable and disable" not in missing
        )
        assert ("user" in unit.texts("allowedChildClassesEffective")) == ("make and delete users" not in missing)


def test_an_account_that_does_not_have_what_its_unit_grants_is_named(
    samba: Samba, authority: ActiveDirectory, account: Account
) -> None:
    """As AdminSDHolder leaves an account that is in an administrators' group."""
    dn = samba.dn(account.name)
    own = authority.find(OURS.name)
    assert own is not None
    denial = f"(OD;;WP;{LOCKOUT_TIME};;{own.sid})"
    samba.adlab("ex", "dc1", "samba-tool", "dsacl", "set", f"--objectdn={dn}", f"--sddl={denial}")
    [right] = authority.missing_rights([account])
    assert (right.right, right.where, right.commands, right.vital) == ("unlock", dn, (), True)
    assert "AdminSDHolder" in right.why


# Who Keyturn does not want to be


def test_keyturn_does_not_work_as_an_administrator_unless_told(samba: Samba) -> None:
    with pytest.raises(Refused, match="Domain Admins") as raised:
        opened(samba, ADMINISTRATOR).find("kt-known")
    assert 'domain_admin = "accepted"' in raised.value.hint
    assert opened(samba, ADMINISTRATOR, domain_admin="accepted").find("kt-known") is not None


def test_a_strong_group_by_way_of_another_is_seen(samba: Samba) -> None:
    administrator = samba.administer()
    administrator.modify_s(f"CN=kt-outer,{OUR_UNIT}", [(ldap.MOD_ADD, "member", [samba.dn(WEAK.name).encode()])])
    try:
        with pytest.raises(Refused, match="Domain Admins"):
            opened(samba, WEAK).find("kt-known")
    finally:
        administrator.modify_s(f"CN=kt-outer,{OUR_UNIT}", [(ldap.MOD_DELETE, "member", [samba.dn(WEAK.name).encode()])])
        administrator.unbind_s()


def test_no_other_word_accepts_it(samba: Samba) -> None:
    with pytest.raises(Refused, match="domain_admin"):
        opened(samba, domain_admin="yes")
