"""The verdict on every class of package, under every caller, with and without properties of a command line."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import pytest

from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.package import Package
from keyturn.distribution.msi.run_time import LaunchCondition, Setter
from keyturn.distribution.msi.scope import Scope
from keyturn.distribution.msi.verdict import Judgement, Verdict, verdict_for

CLASSES: dict[Scope, Package] = {
    Scope.PER_MACHINE: Package({"ALLUSERS": "1"}, 2),
    Scope.PER_USER: Package({}, 10),
    Scope.DUAL: Package({"ALLUSERS": "2", "MSIINSTALLPERUSER": "1"}, 2),
    Scope.DUAL_MACHINE: Package({"ALLUSERS": "2"}, 2),
    Scope.UNSCOPED: Package({}, 2),
}

OVERRIDES: dict[str, Mapping[str, str]] = {
    "none": {},
    "1": {"ALLUSERS": "1"},
    "empty": {"ALLUSERS": ""},
    "2": {"ALLUSERS": "2"},
    "2+1": {"ALLUSERS": "2", "MSIINSTALLPERUSER": "1"},
    "2+empty": {"ALLUSERS": "2", "MSIINSTALLPERUSER": ""},
    "per user empty": {"MSIINSTALLPERUSER": ""},
    "per user 1": {"MSIINSTALLPERUSER": "1"},
}

ENDS = """
               none     1        empty    2        2+1      2+empty  per user empty  per user 1
per-machine    machine  machine  user     machine  user     machine  machine         machine
per-user       user     machine  user     machine  user     machine  user            user
dual           user     machine  user     user     user     machine  machine         user
dual-machine   machine  machine  user     machine  user     machine  machine         user
unscoped       user     machine  user     machine  user     machine  user            user
"""

NOBODYS = """
               none     1        empty    2        2+1      2+empty  per user empty  per user 1
per-machine    allow    allow    1        allow    1        allow    allow           allow
per-user       refuse   allow    refuse   allow    refuse   allow    refuse          refuse
dual           1        allow    1        1        1        allow    allow           1
dual-machine   allow    allow    1        allow    1        allow    allow           1
unscoped       1        allow    1        allow    1        allow    1               1
"""
"""Local System and the token account: for the machine, or not at all. `1` is a rewrite to ALLUSERS=1."""

PLAIN_USER = """
               none     1        empty    2        2+1      2+empty  per user empty  per user 1
per-machine    refuse   refuse   allow    refuse   allow    refuse   refuse          refuse
per-user       allow    empty    allow    empty    allow    empty    allow           allow
dual           allow    2        allow    allow    allow    +1       +1              allow
dual-machine   +1       2+1      allow    +1       allow    +1       +1              allow
unscoped       allow    empty    allow    empty    allow    empty    allow           allow
"""
"""Who may not install for the machine. `empty`, `2`, `+1` and `2+1` are rewrites."""

REWRITES: dict[str, Mapping[str, str]] = {
    "1": {"ALLUSERS": "1"},
    "empty": {"ALLUSERS": ""},
    "2": {"ALLUSERS": "2"},
    "+1": {"MSIINSTALLPERUSER": "1"},
    "2+1": {"ALLUSERS": "2", "MSIINSTALLPERUSER": "1"},
}

Cell = tuple[Scope, str, str]


def cells(table: str) -> list[Cell]:
    """Class, override, and what stands there."""
    rows = [[part for part in line.split("  ") if part.strip()] for line in table.strip().splitlines()]
    heads = [head.strip() for head in rows[0]]
    assert set(heads) == set(OVERRIDES)
    found = [(Scope(row[0]), head, cell.strip()) for row in rows[1:] for head, cell in zip(heads, row[1:], strict=True)]
    assert len(found) == len(CLASSES) * len(OVERRIDES)
    return found


def judged(scope: Scope, override: str, context: Context) -> Judgement:
    return verdict_for(CLASSES[scope], context, OVERRIDES[override])


@pytest.mark.parametrize(("scope", "override", "ends"), cells(ENDS))
def test_what_it_ends_as_follows_from_the_two_properties_alone(scope: Scope, override: str, ends: str) -> None:
    for context in Context:
        found = judged(scope, override, context)
        assert found.scope is scope
        assert found.result_scope == f"per-{ends}"


@pytest.mark.parametrize(("scope", "override", "ends"), cells(ENDS))
@pytest.mark.parametrize(
    ("context", "profile"),
    [
        (Context.LOCAL_SYSTEM, "SYSTEM"),
        (Context.TOKEN, "token"),
        (Context.USER, "user"),
        (Context.ADMIN_USER, "admin-user"),
    ],
)
def test_an_installation_for_one_user_lands_in_the_callers_profile(
    scope: Scope, override: str, ends: str, context: Context, profile: str
) -> None:
    assert judged(scope, override, context).whose_profile == (profile if ends == "user" else "all-users")


@pytest.mark.parametrize(("scope", "override", "said"), cells(NOBODYS))
@pytest.mark.parametrize("context", [Context.LOCAL_SYSTEM, Context.TOKEN])
def test_an_account_that_is_nobodys_installs_for_the_machine(
    scope: Scope, override: str, said: str, context: Context
) -> None:
    is_so(judged(scope, override, context), said)


@pytest.mark.parametrize(("scope", "override", "said"), cells(PLAIN_USER))
def test_a_plain_user_installs_for_himself(scope: Scope, override: str, said: str) -> None:
    is_so(judged(scope, override, Context.USER), said)


@pytest.mark.parametrize(("scope", "override"), list(product(Scope, OVERRIDES)))
def test_an_administrator_who_is_logged_on_may_have_either(scope: Scope, override: str) -> None:
    is_so(judged(scope, override, Context.ADMIN_USER), "allow")


@pytest.mark.parametrize(("scope", "override", "context"), list(product(Scope, OVERRIDES, Context)))
def test_a_rewrite_is_allowed_once_it_is_made(scope: Scope, override: str, context: Context) -> None:
    found = judged(scope, override, context)
    again = verdict_for(CLASSES[scope], context, {**OVERRIDES[override], **found.rewrite})
    assert again.verdict is (Verdict.ALLOW if found.verdict is Verdict.REWRITE else found.verdict)
    assert bool(found.rewrite) is (found.verdict is Verdict.REWRITE)


def is_so(found: Judgement, said: str) -> None:
    if said in list(Verdict):
        assert (found.verdict, found.rewrite) == (said, {})
    else:
        assert (found.verdict, found.rewrite) == (Verdict.REWRITE, REWRITES[said])


SETS_IT = Setter("CustomAction", "SetScope", "ALLUSERS", "1")


@pytest.mark.parametrize(("scope", "context"), list(product(sorted(set(Scope) - {Scope.PER_MACHINE}), Context)))
def test_a_package_that_sets_its_scope_when_it_runs_is_conditional(scope: Scope, context: Context) -> None:
    found = verdict_for(replace(CLASSES[scope], setters=(SETS_IT,)), context, {})
    assert (found.verdict, found.rewrite) == (Verdict.CONDITIONAL, {})
    assert found.result_scope is found.whose_profile is None


@pytest.mark.parametrize(
    ("setter", "properties", "conditional"),
    [
        (SETS_IT, {"ALLUSERS": "1"}, False),
        (replace(SETS_IT, value=""), {}, False),
        (replace(SETS_IT, value=None), {"ALLUSERS": "1"}, True),
        (replace(SETS_IT, name="", value=None), {}, True),
        (replace(SETS_IT, value="2", condition="NOT ALLUSERS"), {}, True),
        (replace(SETS_IT, value="2", condition="NOT ALLUSERS"), {"ALLUSERS": "1"}, False),
        (replace(SETS_IT, condition="Privileged"), {}, True),
        (replace(SETS_IT, condition="NOT Privileged"), {}, False),
        (replace(SETS_IT, condition="SOMETHING"), {}, True),
        (replace(SETS_IT, interactive=True), {}, False),
    ],
)
def test_only_what_may_change_the_scope_unattended_makes_it_conditional(
    setter: Setter, properties: Mapping[str, str], conditional: bool
) -> None:
    package = replace(CLASSES[Scope.UNSCOPED], setters=(setter,))
    verdict = verdict_for(package, Context.LOCAL_SYSTEM, properties).verdict
    assert (verdict is Verdict.CONDITIONAL) is conditional


def test_files_that_go_into_a_profile_whatever_the_scope_are_not_for_the_machine() -> None:
    for scope in Scope:
        package = replace(CLASSES[scope], lies_in_a_profile=True)
        found = verdict_for(package, Context.LOCAL_SYSTEM, {"ALLUSERS": "1"})
        assert (found.verdict, found.result_scope, found.whose_profile) == (Verdict.REFUSE, "per-machine", "SYSTEM")


def test_no_rewrite_is_named_that_the_package_itself_would_stop() -> None:
    package = replace(CLASSES[Scope.UNSCOPED], launch_conditions=(LaunchCondition("NOT ALLUSERS"),))
    assert verdict_for(package, Context.LOCAL_SYSTEM, {}).verdict is Verdict.REFUSE
    assert verdict_for(package, Context.USER, {}).verdict is Verdict.ALLOW
    stopped = verdict_for(package, Context.ADMIN_USER, {"ALLUSERS": "1"})
    assert (stopped.verdict, stopped.rewrite) == (Verdict.REWRITE, {"ALLUSERS": ""})


@pytest.mark.parametrize("value", ["0", "3", "true"])
def test_a_value_of_allusers_that_means_nothing_counts_as_none(value: str) -> None:
    package = Package({"ALLUSERS": value}, 2)
    found = verdict_for(package, Context.LOCAL_SYSTEM, {})
    assert (found.scope, found.settings.allusers, found.verdict) == (Scope.UNSCOPED, value, Verdict.REWRITE)


def test_the_summary_has_the_keys_that_programs_read() -> None:
    summary = judged(Scope.DUAL, "none", Context.LOCAL_SYSTEM).summary()
    assert {key: value for key, value in summary.items() if key != "findings"} == {
        "scope": "dual",
        "ALLUSERS": "2",
        "MSIINSTALLPERUSER": "1",
        "word_count": 2,
        "verdict": "rewrite",
        "rewrite": {"ALLUSERS": "1"},
        "result_scope": "per-user",
        "whose_profile": "SYSTEM",
    }
    assert all(set(finding) == {"rule", "table", "row", "text"} for finding in summary["findings"])
