"""The audit log of a store: whole after everything that a store does to it, and shown by actor and account."""

from collections.abc import Callable

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.model.accounts import Credential
from keyturn.model.errors import Refused
from keyturn.operations.audit_log import AuditLog, Verdict, shown, take_checkpoint, verify
from tests.contract.store.setting import Setting
from tests.contract.store.threads import at_once
from tests.contract.store.world import SVC, Clock, in_place, running


class ChainedEventsContract(Setting):
    @pytest.fixture
    def log(self, empty: SqlStore) -> AuditLog:
        return AuditLog("PHX", empty)

    def test_a_log_without_events_is_intact_and_has_no_checkpoint(self, log: AuditLog) -> None:
        assert verify(log).fault is None
        with pytest.raises(Refused, match="empty"):
            take_checkpoint(log)

    def test_everything_told_fits_and_the_checkpoint_is_its_end(self, log: AuditLog, clock: Clock) -> None:
        for n in range(3):
            clock.pass_s(1.0)
            log.events.tell("ann", "kind", f"{n}", "é\0\n")
        verdict = verify(log, [take_checkpoint(log)])
        assert (verdict.fault, verdict.events, verdict.checkpoints) == (None, 3, 1)
        assert verdict.last is not None
        assert (verdict.last.number, verdict.last.at) == (3, clock.at)
        assert {event.detail for event in log.events.since()} == {"é␀\n"}
        assert log.events.told("kind", "0", "é\0\n")

    def test_what_is_told_once_or_inside_another_transaction_is_in_the_chain_too(
        self, store: SqlStore, log: AuditLog
    ) -> None:
        store.tell("ann", "kind", "subject")
        assert store.told("kind", "subject")
        assert not store.told("kind", "subject", "another detail")
        lease = running(store, in_place(SVC))
        for _ in range(2):
            lease.record(Credential(SVC, 1), "somebody else has set it")
        assert verify(log).fault is None
        assert [event.actor for event in store.since()] == ["ann", "plan plan-1"]

    def test_the_log_goes_on_after_a_restart(self, log: AuditLog, open_again: Callable[[], SqlStore]) -> None:
        log.events.tell("ann", "kind", "subject")
        before = take_checkpoint(log)
        again = AuditLog("PHX", open_again())
        again.events.tell("ann", "kind", "subject")
        verdict = verify(again, [before])
        assert (verdict.fault, verdict.events, verdict.checkpoints) == (None, 2, 1)

    def test_threads_that_tell_at_once_make_one_chain(self, log: AuditLog, open_again: Callable[[], SqlStore]) -> None:
        stores = [log.events, open_again()]
        at_once(*(lambda n=n: stores[n % 2].tell("ann", "kind", f"{n}") for n in range(12)))
        assert (verify(log).fault, verify(log).events) == (None, 12)

    def test_a_log_can_be_verified_while_it_is_written(self, log: AuditLog) -> None:
        verdicts: list[Verdict] = []
        at_once(
            *[lambda n=n: log.events.tell("ann", "kind", f"{n}") for n in range(20)],
            *[lambda: verdicts.append(verify(log))] * 5,
        )
        assert [verdict.fault for verdict in verdicts] == [None] * 5
        assert verify(log).events == 20

    def test_a_checkpoint_of_another_site_is_refused(self, log: AuditLog) -> None:
        log.events.tell("ann", "kind", "subject")
        with pytest.raises(Refused, match="site TUC"):
            verify(log, [take_checkpoint(AuditLog("TUC", log.events))])

    def test_the_log_is_shown_by_actor(self, log: AuditLog) -> None:
        for actor in ("ann", "bob", "Ann"):
            log.events.tell(actor, "kind", "subject")
        assert [event.number for event in shown(log, actor="ANN")] == [1, 3]
        assert [event.number for event in shown(log, actor="ann", since=1)] == [3]
        assert [event.number for event in shown(log, limit=2)] == [1, 2]

    def test_the_log_is_shown_by_account_wherever_that_is_named(self, log: AuditLog) -> None:
        told = [
            ("CORP\\KtClient", ""),
            ("CORP\\KtClient_2", ""),
            ("CORP\\KtClient generation 4", ""),
            ("abcd", "cycle CORP\\KtClient"),
            ("abcd", "cycle CORP\\OldKtClient"),
            ("CORP\\KtClient-2", "CORP\\ktclient$"),
        ]
        for subject, detail in told:
            log.events.tell("ann", "kind", subject, detail)
        assert [event.number for event in shown(log, account="CORP\\KtClient")] == [1, 3, 4]
        assert [event.number for event in shown(log, account="ktclient")] == [1, 3, 4]

    def test_more_events_than_a_page_are_looked_through(self, log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("keyturn.operations.audit_log._PAGE", 2)
        for n in range(7):
            log.events.tell("ann" if n % 3 == 0 else "bob", "kind", f"{n}")
        assert [event.subject for event in shown(log, actor="ann", limit=2)] == ["0", "3"]
        assert [event.subject for event in shown(log, actor="ann")] == ["0", "3", "6"]
