"""What clients were told to do, and what they say has become of it."""

import hashlib
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Insert, Row, Select, Update, bindparam, delete, func, insert, or_, select, update

from keyturn.adapters.store.database import Part
from keyturn.adapters.store.errors import Unreadable
from keyturn.adapters.store.schema import accounts, imports
from keyturn.adapters.store.schema_content import content_states
from keyturn.adapters.store.schema_left_out import left_out_systems
from keyturn.adapters.store.schema_software import software_numbers
from keyturn.adapters.store.schema_software_status import (
    advertisement_reports,
    advertisement_standings,
    policy_issues,
)
from keyturn.distribution.policy_making import Issue
from keyturn.distribution.reports import AdvertisementReport
from keyturn.model.accounts import canonical
from keyturn.model.estate import AccountLife, SiteCode
from keyturn.model.software import AdvertisementId
from keyturn.operations.policy_records import AdvertisementReports, KeptReport, PolicyIssues

_AT_ONCE = 500
"""Names in one statement: databases limit how many values one may have."""

_ONE_REPORT = ("site", "client_key", "enrolled_at", "number")


class SqlPolicyIssues(Part, PolicyIssues):
    def policy_edition(self) -> str:
        digest = hashlib.sha256()
        with self._database.reading() as connection:
            for statement in _what_policies_are_made_from():
                digest.update(repr(connection.execute(statement).all()).encode())
        return digest.hexdigest()

    def issues(self, clients: Collection[str]) -> dict[str, Issue]:
        keys = {name: canonical(name) for name in clients}
        wanted = sorted(set(keys.values()))
        found = dict[str, Row[Any]]()
        with self._database.reading() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                rows = connection.execute(_issues(), {"keys": wanted[start : start + _AT_ONCE]})
                found.update((row.client_key, row) for row in rows)
        return {name: _issue(name, found[key]) for name, key in keys.items() if key in found}

    def keep_issues(self, issues: Sequence[Issue]) -> None:
        rows = [
            {
                "key": canonical(issue.client),
                "new_digest": issue.digest,
                "new_counter": issue.counter,
                "at": issue.issued_at,
            }
            for issue in issues
        ]
        with self._database.writing() as connection:
            for row in rows:
                if not connection.execute(_renewed(), row).rowcount:
                    connection.execute(_first_issue(), row)


class SqlAdvertisementReports(Part, AdvertisementReports):
    def keep_report(self, kept: KeptReport) -> bool:
        values = _values(kept)
        this = [advertisement_reports.c[name] == values[name] for name in _ONE_REPORT]
        with self._database.writing() as connection:
            if connection.execute(select(advertisement_reports.c.number).where(*this)).first():
                return False
            connection.execute(insert(advertisement_reports).values(values))
            _stand(connection, {**values, "user_key": canonical(kept.report.user)})
            return True

    def standing_reports(self, advertisement: AdvertisementId) -> tuple[KeptReport, ...]:
        table = advertisement_standings
        wanted = select(table).where(table.c.advertisement == advertisement)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(table.c.client_key, table.c.site, table.c.user_key)).all()
        return tuple(map(_kept, rows))

    def reports(self, advertisement: AdvertisementId, client: str) -> tuple[KeptReport, ...]:
        table = advertisement_reports
        theirs = (table.c.advertisement == advertisement, table.c.client_key == canonical(client))
        wanted = select(table).where(*theirs).order_by(table.c.site, table.c.enrolled_at, table.c.number)
        with self._database.reading() as connection:
            return tuple(map(_kept, connection.execute(wanted)))

    def forget_reports(self, before: float) -> int:
        table = advertisement_reports
        with self._database.writing() as connection:
            return connection.execute(delete(table).where(table.c.arrived_at < before)).rowcount

    def forget_advertisement(self, advertisement: AdvertisementId) -> None:
        with self._database.writing() as connection:
            for table in (advertisement_reports, advertisement_standings):
                connection.execute(delete(table).where(table.c.advertisement == advertisement))


def _stand(connection: Connection, values: dict[str, Any]) -> None:
    """A later number counts, and any number of a client that was installed anew."""
    table = advertisement_standings
    this = [table.c[name] == values[name] for name in ("advertisement", "site", "client_key", "user_key")]
    is_earlier = or_(
        table.c.enrolled_at < values["enrolled_at"],
        (table.c.enrolled_at == values["enrolled_at"]) & (table.c.number < values["number"]),
    )
    if connection.execute(select(table.c.number).where(*this)).first() is None:
        connection.execute(insert(table).values(values))
    else:
        connection.execute(update(table).where(*this, is_earlier).values(values))


def _values(kept: KeptReport) -> dict[str, Any]:
    return {
        "site": kept.site,
        "client_key": canonical(kept.report.machine),
        "enrolled_at": kept.enrolled_at,
        "number": kept.report.number,
        "advertisement": kept.report.advertisement,
        "arrived_at": kept.arrived_at,
        "report": msgspec.json.encode(kept.report).decode(),
    }


def _kept(row: Row[Any]) -> KeptReport:
    try:
        report = msgspec.json.decode(row.report, type=AdvertisementReport)
    except (ValueError, RecursionError):
        raise Unreadable(f"a report of {row.client_key} in the store is in a shape that is not known") from None
    return KeptReport(report, row.enrolled_at, row.arrived_at, SiteCode(row.site))


def _issue(client: str, row: Row[Any]) -> Issue:
    return Issue(client, row.digest, row.counter, row.issued_at)


@cache
def _what_policies_are_made_from() -> tuple[Select[Any], ...]:
    in_use = select(accounts.c.realm, accounts.c.name, accounts.c.role, accounts.c.sites)
    return (
        select(func.max(imports.c.number)),
        in_use.where(accounts.c.life == AccountLife.ACTIVE.value).order_by(accounts.c.account_id),
        select(left_out_systems.c.system_key).order_by(left_out_systems.c.system_key),
        select(software_numbers).order_by(software_numbers.c.kind),
        select(content_states.c.package_id, content_states.c.system_key, content_states.c.there).order_by(
            content_states.c.package_id, content_states.c.system_key
        ),
    )


@cache
def _issues() -> Select[Any]:
    return select(policy_issues).where(policy_issues.c.client_key.in_(bindparam("keys", expanding=True)))


@cache
def _renewed() -> Update:
    table = policy_issues
    values: dict[str, Any] = {
        "digest": bindparam("new_digest"),
        "counter": bindparam("new_counter"),
        "issued_at": bindparam("at"),
    }
    return update(table).where(table.c.client_key == bindparam("key")).values(values)


@cache
def _first_issue() -> Insert:
    return insert(policy_issues).values(
        client_key=bindparam("key"),
        digest=bindparam("new_digest"),
        counter=bindparam("new_counter"),
        issued_at=bindparam("at"),
    )
