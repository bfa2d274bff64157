"""The table of the second seed: who executes, and who reaches the network, for each kind of client and program."""

from dataclasses import replace

import pytest

from keyturn.distribution.run_context import (
    AsUser,
    ClientState,
    Deferred,
    ExecuteAs,
    LocalSystem,
    LoggedOnUser,
    Machine,
    NetworkIdentity,
    RaisedAccount,
    RealmAccount,
    RunContext,
    TokenAccount,
    Unfit,
    resolve_run_context,
)
from keyturn.model.software import ClientAccounts, ClientKind, LoggedOn, PackageId, Program, Rights

NETWORK, INSTALLER = RealmAccount("CORP\\naa"), RealmAccount("CORP\\installer")
FIRST, SECOND = RealmAccount("CORP\\SMSClient_PHX"), RealmAccount("CORP\\clients2")
ACCOUNTS = ClientAccounts(
    client_connection=(FIRST.account, SECOND.account),
    network_access=(NETWORK.account,),
    software_installation=(INSTALLER.account,),
)
ADVANCED, LEGACY = ClientKind.ADVANCED, ClientKind.LEGACY
ADMINISTRATIVE = Program(PackageId("PHX00001"), "Install", "sh install.sh")
BY_THE_USER = replace(ADMINISTRATIVE, rights=Rights.USER, logged_on=LoggedOn.USER_LOGGED_ON)
BY_THE_INSTALLER = replace(ADMINISTRATIVE, software_installation_account=True)
ANN = AsUser("ann")

CASES: dict[str, tuple[ClientKind, bool, Program, ExecuteAs, tuple[NetworkIdentity, ...], tuple[NetworkIdentity, ...]]]
CASES = {
    "advanced, user's rights": (
        *(ADVANCED, False, BY_THE_USER, LoggedOnUser("ann")),
        *((ANN, Machine(), NETWORK), (ANN,)),
    ),
    "advanced, administrative": (
        *(ADVANCED, False, ADMINISTRATIVE, LocalSystem()),
        *((Machine(), NETWORK), (NETWORK,)),
    ),
    "advanced, told to use the account of legacy clients": (
        *(ADVANCED, False, BY_THE_INSTALLER, LocalSystem()),
        *((Machine(), NETWORK), (NETWORK,)),
    ),
    "advanced, on a domain controller": (
        *(ADVANCED, True, ADMINISTRATIVE, LocalSystem()),
        *((Machine(), NETWORK), (NETWORK,)),
    ),
    "legacy, administrative": (LEGACY, False, ADMINISTRATIVE, TokenAccount(), (FIRST, SECOND), ()),
    "legacy, on a domain controller": (LEGACY, True, ADMINISTRATIVE, TokenAccount(domain=True), (FIRST, SECOND), ()),
    "legacy, software installation account": (
        *(LEGACY, False, BY_THE_INSTALLER, RaisedAccount(INSTALLER.account)),
        *((INSTALLER,), (INSTALLER,)),
    ),
    "legacy, user's rights": (LEGACY, False, BY_THE_USER, LoggedOnUser("ann"), (ANN, FIRST, SECOND), (ANN,)),
}


@pytest.mark.parametrize("case", CASES)
def test_who_executes_and_who_reaches_the_network(case: str) -> None:
    kind, controller, program, execute_as, to_points, to_shares = CASES[case]
    state = ClientState(kind, ACCOUNTS, ("ann", "ben"), controller)
    assert resolve_run_context(program, state) == RunContext(execute_as, to_points, to_shares)


@pytest.mark.parametrize("kind", ClientKind)
@pytest.mark.parametrize("program", [BY_THE_USER, replace(ADMINISTRATIVE, logged_on=LoggedOn.USER_LOGGED_ON)])
def test_a_program_for_a_logged_on_user_waits_for_one(kind: ClientKind, program: Program) -> None:
    assert resolve_run_context(program, ClientState(kind, ACCOUNTS)) == Deferred("it waits for a user to log on")


def test_a_program_with_a_users_rights_waits_for_one_even_where_it_says_otherwise() -> None:
    program = replace(BY_THE_USER, logged_on=LoggedOn.WHETHER_OR_NOT)
    assert isinstance(resolve_run_context(program, ClientState(ADVANCED, ACCOUNTS)), Deferred)


def test_a_program_for_an_empty_machine_waits_until_everybody_has_logged_off() -> None:
    program = replace(ADMINISTRATIVE, logged_on=LoggedOn.NO_USER)
    outcome = resolve_run_context(program, ClientState(ADVANCED, ACCOUNTS, ("ann",)))
    assert outcome == Deferred("it waits until nobody is logged on; ann is")
    assert isinstance(resolve_run_context(program, ClientState(ADVANCED, ACCOUNTS)), RunContext)


def test_a_program_for_every_user_runs_as_the_one_named() -> None:
    state = ClientState(ADVANCED, ACCOUNTS, ("ann", "ben"))
    outcome = resolve_run_context(BY_THE_USER, state, user="ben")
    assert isinstance(outcome, RunContext)
    assert outcome.execute_as == LoggedOnUser("ben")
    assert resolve_run_context(BY_THE_USER, state, user="cy") == Deferred("it waits for cy to log on")


def test_without_a_network_access_account_nobody_reaches_another_share() -> None:
    outcome = resolve_run_context(ADMINISTRATIVE, ClientState(ADVANCED))
    assert outcome == RunContext(LocalSystem(), (Machine(),), ())


def test_without_a_software_installation_account_the_program_cannot_be_prepared() -> None:
    assert isinstance(resolve_run_context(BY_THE_INSTALLER, ClientState(LEGACY)), Unfit)


@pytest.mark.parametrize("kind", ClientKind)
def test_on_a_domain_controller_without_the_domains_token_account_only_its_programs_wait(kind: ClientKind) -> None:
    state = ClientState(kind, ACCOUNTS, ("ann",), domain_controller=True, token_missing="it has not come")
    outcomes = [resolve_run_context(program, state) for program in (ADMINISTRATIVE, BY_THE_USER, BY_THE_INSTALLER)]
    waits = Deferred("it waits for the domain's token account: it has not come")
    assert [outcome == waits for outcome in outcomes] == [kind is LEGACY, False, False]


@pytest.mark.parametrize("kind", ClientKind)
def test_the_network_access_account_is_never_a_process(kind: ClientKind) -> None:
    for program in (ADMINISTRATIVE, BY_THE_USER, BY_THE_INSTALLER):
        outcome = resolve_run_context(program, ClientState(kind, ACCOUNTS, ("ann",)))
        assert isinstance(outcome, RunContext)
        assert NETWORK.account not in str(outcome.execute_as)
