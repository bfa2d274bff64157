"""Whether a package ends where whoever deploys it expects, and with which properties it would."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from keyturn.distribution.msi.context import CALLERS, Context
from keyturn.distribution.msi.findings import Finding, findings
from keyturn.distribution.msi.package import Package
from keyturn.distribution.msi.scope import (
    ALLUSERS,
    FOR_THE_MACHINE,
    FOR_THE_USER,
    MSIINSTALLPERUSER,
    Scope,
    Settings,
)
from keyturn.distribution.msi.situation import Situation


class Verdict(StrEnum):
    ALLOW = "allow"
    """It ends where it should: for the machine, or in the profile of the person it is run as."""
    REWRITE = "rewrite"
    """It does with the properties named."""
    REFUSE = "refuse"
    """No property that its author provided for helps."""
    CONDITIONAL = "conditional"
    """The package decides when it runs."""


@dataclass(frozen=True, slots=True)
class Judgement:
    scope: Scope
    """What the author made of it, transforms included; a command line does not change that."""
    settings: Settings
    """As resolved: command line before transform before Property table."""
    word_count: int
    verdict: Verdict
    rewrite: Mapping[str, str]
    """Properties to add to the command line; "" means NAME=""."""
    result_scope: Scope | None
    """What it ends as without the rewrite; None where that shows only at run time."""
    whose_profile: str | None
    """The same, by `Caller.profile`; ALL_USERS where it is nobody's own."""
    findings: tuple[Finding, ...]

    def summary(self) -> dict[str, Any]:
        """In JSON's types; what is not set or not known is null."""
        return {
            "scope": self.scope,
            ALLUSERS: self.settings.allusers or None,
            MSIINSTALLPERUSER: self.settings.per_user or None,
            "word_count": self.word_count,
            "verdict": self.verdict,
            "rewrite": dict(self.rewrite),
            "result_scope": self.result_scope,
            "whose_profile": self.whose_profile,
            "findings": [finding.summary() for finding in self.findings],
        }


def verdict_for(package: Package, context: Context, properties: Mapping[str, str]) -> Judgement:
    """`properties` are those of the command line, by their names in capitals; "" unsets one."""
    settings = Settings.of(package.properties).with_(properties)
    situation = Situation(package, settings, CALLERS[context])
    verdict, rewrite = _decide(situation)
    decided = verdict is not Verdict.CONDITIONAL
    return Judgement(
        situation.scope,
        settings,
        package.word_count,
        verdict,
        rewrite,
        situation.ends if decided else None,
        situation.profile if decided else None,
        tuple(findings(situation)),
    )


def _decide(situation: Situation) -> tuple[Verdict, Mapping[str, str]]:
    if situation.deciding:
        return Verdict.CONDITIONAL, {}
    if situation.as_expected:
        return Verdict.ALLOW, {}
    for form in (FOR_THE_USER, FOR_THE_MACHINE) if situation.caller.a_person else (FOR_THE_MACHINE,):
        wanted = form.get(situation.scope)
        if wanted is not None and situation.with_(wanted).as_expected:
            now = situation.settings.properties
            return Verdict.REWRITE, {name: value for name, value in wanted.items() if now[name] != value}
    return Verdict.REFUSE, {}
