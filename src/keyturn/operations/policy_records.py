"""What is kept of policies and of what clients tell about them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from keyturn.distribution.policy_making import Issue
from keyturn.distribution.reports import AdvertisementReport
from keyturn.model.estate import SiteCode
from keyturn.model.software import AdvertisementId


class PolicyIssues(Protocol):
    def policy_edition(self) -> str:
        """Another one whenever something may have changed that policies are made from. Costs a few short readings."""

    def issues(self, clients: Collection[str]) -> dict[str, Issue]:
        """The last of each, by the name as asked for."""

    def keep_issues(self, issues: Sequence[Issue]) -> None: ...


@dataclass(frozen=True, slots=True)
class KeptReport:
    """The client's own key stands behind it. `enrolled_at` is when that client was enrolled: numbers are compared only
    within one enrolment, for a machine that was installed anew may remember none. `site` is the client's."""

    report: AdvertisementReport
    enrolled_at: float
    arrived_at: float
    site: SiteCode = SiteCode("")


class AdvertisementReports(Protocol):
    def keep_report(self, kept: KeptReport) -> bool:
        """False for one whose number was here before. How the client stands follows it where no later number has
        arrived."""

    def standing_reports(self, advertisement: AdvertisementId) -> tuple[KeptReport, ...]:
        """The newest of each client, and of each user where it runs once for every user."""

    def reports(self, advertisement: AdvertisementId, client: str) -> tuple[KeptReport, ...]:
        """All that are kept of one client, by number."""

    def forget_reports(self, before: float) -> int:
        """How many went. How a client stands is not forgotten."""

    def forget_advertisement(self, advertisement: AdvertisementId) -> None:
        """With how every client stands with it."""
