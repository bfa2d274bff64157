"""What a person should know of a package before deploying it, each with the row that shows it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TypeAlias

from keyturn.distribution.msi.evidence import Kind
from keyturn.distribution.msi.scope import ALLUSERS, MSIINSTALLPERUSER, Scope
from keyturn.distribution.msi.situation import Situation
from keyturn.distribution.msi.summary import WORD_COUNT


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    table: str
    row: str
    """The primary key, its parts joined by a slash; for a property from the command line the row it overrules."""
    text: str

    def summary(self) -> dict[str, str]:
        return asdict(self)


def findings(situation: Situation) -> Iterator[Finding]:
    return chain(_of_the_scope(situation), _of_run_time(situation), _of_rows(situation), _of_transforms(situation))


When: TypeAlias = Callable[[Situation], bool]


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    table: str
    row: str
    when: When
    text: str


def _both(s: Situation) -> bool:
    return s.settings.allusers == "2" and s.settings.per_user == "1"


_BIT = f"{WORD_COUNT}"

_SCOPE_RULES: tuple[_Rule, ...] = (
    _Rule(
        "odd-value", "Property", ALLUSERS,
        lambda s: s.settings.allusers not in ("", "1", "2"),
        "ALLUSERS={allusers} is neither 1 nor 2, and counts as not set",
    ),
    _Rule(
        "odd-value", "Property", MSIINSTALLPERUSER,
        lambda s: s.settings.per_user not in ("", "1"),
        "MSIINSTALLPERUSER={per_user} is not 1, and counts as not set",
    ),
    _Rule(
        "without-effect", "Property", MSIINSTALLPERUSER,
        lambda s: s.settings.per_user == "1" and s.settings.allusers != "2",
        "MSIINSTALLPERUSER=1 counts beside ALLUSERS=2 only",
    ),
    _Rule(
        "hole-of-allusers-2", "Property", MSIINSTALLPERUSER, _both,
        'ALLUSERS=2 does not make it per machine: beside MSIINSTALLPERUSER=1 it installs for one user, from Windows 7 '
        'on. ALLUSERS=1 does, or ALLUSERS=2 with MSIINSTALLPERUSER="". Windows XP and 2003 know no MSIINSTALLPERUSER: '
        "there the caller's rights decide",
    ),
    _Rule(
        "open-to-both", "Property", ALLUSERS,
        lambda s: s.settings.allusers == "2" and s.settings.per_user != "1",
        "ALLUSERS=2 is per machine only as long as nothing sets MSIINSTALLPERUSER=1; ALLUSERS=1 is so in any case. On "
        "Windows XP and 2003 the caller's rights decide",
    ),
    _Rule(
        "nobody-decided", "Property", ALLUSERS,
        lambda s: s.scope is Scope.UNSCOPED and s.for_one_user,
        "neither ALLUSERS nor Word Count says for whom it is: it installs for whoever calls",
    ),
    _Rule(
        "nobodys-profile", "Property", ALLUSERS,
        lambda s: s.for_one_user and not s.caller.a_person,
        "for one user means here: in the profile of {profile}, where nobody who works at the machine finds it",
    ),
    _Rule(
        "made-for-one-user", "_SummaryInformation", _BIT,
        lambda s: s.scope is Scope.PER_USER and s.for_one_user and not s.caller.a_person,
        "Word Count says that it was made for one user, without administrative rights: run it as that user. ALLUSERS=1 "
        "is for those who have tried this package with it",
    ),
    _Rule(
        "made-for-one-user", "_SummaryInformation", _BIT,
        lambda s: s.scope is Scope.PER_USER and not s.for_one_user,
        "Word Count says that it was made for one user; per machine it was perhaps never tried",
    ),
    _Rule(
        "word-count-against-allusers", "_SummaryInformation", _BIT,
        lambda s: s.says_no_elevation and s.settings.allusers in ("1", "2"),
        "Word Count says that no administrator is needed, so Windows asks for none; ALLUSERS={allusers} may need one",
    ),
    _Rule(
        "no-rights", "Property", ALLUSERS,
        lambda s: not s.allowed,
        "installing per machine takes administrative rights, which this user has not: it fails",
    ),
    _Rule(
        "asks-for-an-administrator", "_SummaryInformation", _BIT,
        lambda s: s.for_one_user and not s.caller.privileged and not s.says_no_elevation and not _both(s),
        "Word Count does not say that it works without an administrator: Windows asks for one, and unattended goes on "
        "without, so that whatever needs rights fails",
    ),
    _Rule(
        "all-files-in-a-profile", "File", "*",
        lambda s: s.package.lies_in_a_profile and not s.caller.a_person,
        "every file goes into folders of whoever installs, whatever ALLUSERS says: into the profile of {profile}",
    ),
)  # fmt: skip


def _of_the_scope(situation: Situation) -> Iterator[Finding]:
    for rule in _SCOPE_RULES:
        if rule.when(situation):
            words = _words(situation)
            yield Finding(rule.name, rule.table, rule.row, rule.text.format(**words))


def _of_run_time(situation: Situation) -> Iterator[Finding]:
    for setter in situation.deciding:
        when = f" if {setter.condition}" if setter.condition else ""
        text = f"{setter.change}{when}, set while it runs: its scope shows only then"
        yield Finding("decides-at-run-time", setter.table, setter.row, text)
    for setter in situation.package.setters:
        if setter.interactive:
            text = f"{setter.change}, set in a dialog only: unattended nobody comes to it"
            yield Finding("decides-in-a-dialog", setter.table, setter.row, text)
    for condition in situation.package.launch_conditions:
        sure = condition in situation.stopping
        name = "stops" if sure else "may-stop"
        text = f"the installation {'stops' if sure else 'goes on only if this holds'}: it looks at its scope first"
        yield Finding(name, "LaunchCondition", condition.row, text)


def _needs_rights(s: Situation) -> bool:
    """Where an installation says, or is bound, to do without an administrator."""
    return s.says_no_elevation or (s.for_one_user and (_both(s) or not s.caller.privileged))


def _for_nobody(s: Situation) -> bool:
    return not s.caller.a_person


_ROW_RULES: dict[Kind, tuple[str, When, str]] = {
    Kind.SERVICE: ("needs-rights", _needs_rights, "service {detail} is the machine's: it takes an administrator"),
    Kind.ODBC: (
        "needs-rights",
        _needs_rights,
        "{detail} is registered with the machine's ODBC: it takes an administrator",
    ),
    Kind.PROTECTED_FOLDER: ("needs-rights", _needs_rights, "goes into {detail}, closed to plain users"),
    Kind.PROGRAM_FOLDER: (
        "needs-rights",
        lambda s: _needs_rights(s) and not _both(s),  # a dual package's lie in the profile then
        "goes into {detail}, closed to plain users",
    ),
    Kind.MACHINE_REGISTRY: ("needs-rights", _needs_rights, "writes to {detail}, closed to plain users"),
    Kind.MACHINE_ENVIRONMENT: (
        "needs-rights",
        _needs_rights,
        "sets {detail} for the machine: it takes an administrator",
    ),
    Kind.ELEVATED_ACTION: (
        "needs-rights",
        _needs_rights,
        "{detail} runs as Local System, which takes an administrator",
    ),
    Kind.CALLERS_FOLDER: ("callers-own", _for_nobody, "goes into {detail} of {profile}, whatever the scope"),
    Kind.CALLERS_REGISTRY: ("callers-own", _for_nobody, "writes to {detail} of {profile}, whatever the scope"),
    Kind.CALLERS_ENVIRONMENT: ("callers-own", _for_nobody, "sets {detail} for {profile} only, whatever the scope"),
    Kind.NESTED_INSTALLATION: ("not-looked-into", lambda _: True, "{detail} installs another package, not judged here"),
}


def _of_rows(situation: Situation) -> Iterator[Finding]:
    for shown in situation.package.evidence:
        rule, when, text = _ROW_RULES[shown.kind]
        if when(situation):
            words = {**_words(situation), "detail": shown.detail}
            more = f" (and {shown.more} more)" if shown.more else ""
            yield Finding(rule, shown.table, shown.row, text.format(**words) + more)


def _of_transforms(situation: Situation) -> Iterator[Finding]:
    for table in situation.package.transformed:
        text = "the transform changes this table too; what it changes there was not looked at"
        yield Finding("not-looked-into", table, "*", text)


def _words(s: Situation) -> dict[str, str]:
    return {"allusers": s.settings.allusers, "per_user": s.settings.per_user, "profile": s.caller.profile}
