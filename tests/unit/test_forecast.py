"""The forecast retells what was measured on real directories, and the sentences of the seed about orphaned clients."""

from dataclasses import replace

import pytest

from keyturn.lockout.changes import Change, Contact, Forecast, Moment, PasswordSet, Published, Retired
from keyturn.lockout.forecast import predict
from keyturn.lockout.moments import LOCKS, REFUSALS
from keyturn.model.estate import Absence, Habit
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy

INFINITE = float("inf")
DAY = 86400.0
POLL = Habit(interval_s=2)
NO_HISTORY = RealmPolicy(history=0)
NO_GRACE = RealmPolicy(history=24, grace_s=0)


def client(number: int, habit: Habit = POLL, *, gated: bool = False, behind: int | None = 0, at: int = 0) -> Contact:
    return Contact(f"client-{number}", habit, LogonProtocol.NTLM, gated, behind, at)


def ten(habit: Habit = POLL, *, gated: bool = False, at: int = 0) -> list[Contact]:
    return [client(number, habit, gated=gated, at=at) for number in range(10)]


def after(forecast: Forecast, *kinds: str) -> list[tuple[float, str, str]]:
    return [(moment.at_s, moment.kind, moment.who) for moment in forecast.moments if moment.kind in kinds]


class TestTheStoryAsMeasured:
    """Ten clients that poll every 2 s with a threshold of 5, as in the laboratory."""

    def test_a_plain_change_locks_after_exactly_five_wrong_answers_and_orphans_all(self) -> None:
        forecast = predict(ten(), [PasswordSet(0), Published(10)], NO_HISTORY, horizon_s=60)
        assert forecast.first_lockout_s == 0.9
        assert forecast.blamed == tuple(f"client-{number}" for number in range(5))
        assert forecast.orphaned == tuple(f"client-{number}" for number in range(10))
        assert not forecast.safe

    def test_kerberos_knows_no_grace(self) -> None:
        fleet = [replace(contact, protocol=LogonProtocol.KERBEROS) for contact in ten()]
        forecast = predict(fleet, [PasswordSet(0), Published(10)], RealmPolicy(), horizon_s=60)
        assert forecast.first_lockout_s == 0.9
        assert len(forecast.orphaned) == 10

    def test_nothing_fails_when_the_new_password_is_published_within_the_grace(self) -> None:
        forecast = predict(ten(), [PasswordSet(0), Published(600)], RealmPolicy(), horizon_s=2 * 3600)
        assert forecast.safe
        assert not after(forecast, "refused")

    def test_without_grace_all_are_orphaned_and_nothing_locks(self) -> None:
        forecast = predict(ten(), [PasswordSet(0), Published(10)], NO_GRACE, horizon_s=60)
        assert forecast.first_lockout_s is None
        assert len(forecast.orphaned) == 10

    def test_a_password_changed_three_times_is_forgotten_and_locks(self) -> None:
        forecast = predict(ten(), [PasswordSet(0)] * 3, RealmPolicy(), horizon_s=60)
        assert forecast.first_lockout_s == 0.9
        assert len(forecast.orphaned) == 10

    def test_nothing_fails_when_every_client_has_a_second_account_first(self) -> None:
        changes = [Published(0, second_account=True), PasswordSet(5)]
        forecast = predict(ten(), changes, NO_HISTORY, horizon_s=60)
        assert forecast.safe
        assert not after(forecast, "refused")

    def test_an_offline_client_with_a_gate_learns_when_it_returns(self) -> None:
        away = client(10, Habit(2, absences=(Absence(0, 40),)), gated=True)
        changes = [Published(0, second_account=True), PasswordSet(10), Retired(10)]
        forecast = predict([*ten(gated=True), away], changes, NO_HISTORY, horizon_s=60)
        assert forecast.safe
        assert (40, "learned", "client-10") in after(forecast, "learned")

    def test_with_the_gate_overridden_the_laggard_locks_the_account_soon_after_it_returns(self) -> None:
        away = client(10, Habit(2, absences=(Absence(0, 20),)))
        changes = [Published(0, second_account=True), PasswordSet(10)]
        forecast = predict([*ten(), away], changes, NO_HISTORY, horizon_s=60)
        assert forecast.first_lockout_s == 20 + 4 * 2
        assert forecast.blamed == forecast.orphaned == ("client-10",)

    def test_a_new_password_published_before_a_replica_shows_it_locks_that_replica(self) -> None:
        changes = [PasswordSet(0), Published(1)]
        forecast = predict(ten(at=1), changes, RealmPolicy(), replica_lag_s=(0, 8), horizon_s=60)
        assert forecast.first_lockout_s == 3.9
        assert after(forecast, "locked") == [(3.9, "locked", "replica 1")]

    def test_published_when_every_replica_shows_it_the_new_password_never_fails(self) -> None:
        changes = [PasswordSet(0), Published(8)]
        forecast = predict([*ten(), client(11, at=1)], changes, RealmPolicy(), replica_lag_s=(0, 8), horizon_s=7200)
        assert forecast.safe
        assert not after(forecast, "refused")

    def test_healthy_clients_at_the_same_replica_keep_a_stale_one_from_locking(self) -> None:
        stale = client(0, Habit(2, phase_s=1), behind=3)
        healthy = [client(number, Habit(2, phase_s=0)) for number in range(1, 10)]
        forecast = predict([stale, *healthy], (), RealmPolicy(), horizon_s=600)
        assert forecast.first_lockout_s is None
        assert forecast.orphaned == ("client-0",)

    def test_healthy_clients_that_come_seldom_do_not(self) -> None:
        stale = client(0, Habit(2, phase_s=1), behind=3)
        healthy = [client(number, Habit(60, phase_s=8)) for number in range(1, 10)]
        forecast = predict([stale, *healthy], (), RealmPolicy(), horizon_s=600)
        assert forecast.first_lockout_s == 17
        assert forecast.blamed == ("client-0",)

    def test_healthy_clients_at_another_replica_do_not(self) -> None:
        stale = client(0, Habit(2, phase_s=1), behind=3, at=1)
        healthy = [client(number, Habit(2, phase_s=0)) for number in range(1, 10)]
        forecast = predict([stale, *healthy], (), RealmPolicy(), replica_lag_s=(0, 0), horizon_s=600)
        assert forecast.first_lockout_s == 1 + 4 * 2

    def test_a_client_one_password_behind_is_refused_and_never_locks_where_the_history_holds_it(self) -> None:
        forecast = predict([client(0, behind=1)], (), RealmPolicy(), horizon_s=600)
        assert forecast.first_lockout_s is None
        assert forecast.orphaned == ("client-0",)

    def test_a_threshold_of_zero_never_locks(self) -> None:
        policy = RealmPolicy(lockout_threshold=0, history=0)
        forecast = predict(ten(), [PasswordSet(0)], policy, horizon_s=600)
        assert forecast.first_lockout_s is None
        assert len(forecast.orphaned) == 10


class TestCounting:
    @pytest.mark.parametrize(("interval_s", "locks_at_s"), [(4, 16), (5.9, 23.6), (6, None), (7, None)])
    def test_the_window_runs_from_the_last_bad_attempt(self, interval_s: float, locks_at_s: float | None) -> None:
        policy = RealmPolicy(lockout_window_s=6)
        stale = client(0, Habit(interval_s, phase_s=0), behind=None)
        assert predict([stale], (), policy, horizon_s=3600).first_lockout_s == locks_at_s

    def test_counts_of_two_replicas_never_add_up(self) -> None:
        stale = [client(number, Habit(INFINITE, phase_s=number), behind=None, at=number % 2) for number in range(8)]
        assert predict(stale, (), RealmPolicy(), replica_lag_s=(0, 0), horizon_s=60).first_lockout_s is None

    def test_after_a_lock_has_run_out_the_count_begins_anew(self) -> None:
        policy = RealmPolicy(lockout_duration_s=100)
        forecast = predict([client(0, Habit(10, phase_s=0), behind=None)], (), policy, horizon_s=300)
        assert after(forecast, "locked", "unlocked") == [
            (40, "locked", ""),
            (140, "unlocked", ""),
            (180, "locked", ""),
            (280, "unlocked", ""),
        ]

    def test_a_lock_without_duration_never_ends(self) -> None:
        policy = RealmPolicy(lockout_duration_s=0)
        forecast = predict([client(0, Habit(10, phase_s=0), behind=None)], (), policy, horizon_s=30 * DAY)
        assert after(forecast, "locked", "unlocked") == [(40, "locked", "")]

    def test_a_lock_reaches_the_other_replica_after_its_lag_and_refuses_healthy_clients_there(self) -> None:
        stale = client(0, Habit(1, phase_s=0), behind=None)
        healthy = client(1, Habit(1, phase_s=0.5), at=1)
        forecast = predict([stale, healthy], (), RealmPolicy(), replica_lag_s=(0, 0), lock_lag_s=2, horizon_s=60)
        assert forecast.first_lockout_s == 4
        assert after(forecast, "refused")[-1] == (6.5, "refused", "client-1")

    def test_clients_kept_out_by_a_lock_until_their_grace_ends_are_orphaned(self) -> None:
        stale = client(0, Habit(1, phase_s=0), behind=None)
        healthy = client(1, Habit(10, phase_s=9))
        policy = RealmPolicy(grace_s=20, lockout_duration_s=60)
        forecast = predict([stale, healthy], [PasswordSet(0), Published(0)], policy, horizon_s=300)
        assert forecast.orphaned == ("client-0", "client-1")
        assert predict([healthy], [PasswordSet(0), Published(0)], policy, horizon_s=300).safe

    def test_an_account_that_is_disabled_still_counts_wrong_passwords_and_only_those(self) -> None:
        right = predict([client(0)], [Retired(0)], NO_HISTORY, horizon_s=60)
        wrong = predict([client(0, behind=None)], [Retired(0)], NO_HISTORY, horizon_s=60)
        assert (right.first_lockout_s, wrong.first_lockout_s) == (None, 1 + 4 * 2)

    def test_a_success_before_a_change_still_ends_the_count_after_it(self) -> None:
        stale = client(0, Habit(1, phase_s=1), behind=None)
        healthy = client(1, Habit(INFINITE, phase_s=3.5))
        forecast = predict([stale, healthy], [Published(3.7, second_account=True)], RealmPolicy(), horizon_s=60)
        assert forecast.first_lockout_s == 4 + 4

    def test_a_lock_that_arrives_at_once_empties_the_count_there_too(self) -> None:
        here = client(0, Habit(1, phase_s=0), behind=None)
        there = client(1, Habit(1, phase_s=0.5, absences=(Absence(3, 14.4),)), behind=None, at=1)
        policy = RealmPolicy(lockout_duration_s=10)
        forecast = predict([here, there], (), policy, replica_lag_s=(0, 0), lock_lag_s=0, horizon_s=20)
        assert after(forecast, "locked") == [(4, "locked", "replica 0"), (18, "locked", "replica 0")]

    def test_the_blamed_are_those_of_the_count_that_locked_and_each_once(self) -> None:
        early = client(0, Habit(INFINITE, phase_s=0), behind=None)
        often = client(1, Habit(1, phase_s=10), behind=None)
        late = client(2, Habit(INFINITE, phase_s=12.5), behind=None)
        policy = RealmPolicy(lockout_window_s=5)
        forecast = predict([early, often, late], (), policy, horizon_s=60)
        assert forecast.first_lockout_s == 13
        assert forecast.blamed == ("client-1", "client-2")


class TestHolders:
    def test_a_client_offline_for_a_long_time_locks_the_account_for_all_though_nothing_is_changed(self) -> None:
        stale = client(0, Habit(60, absences=(Absence(0, DAY),)), behind=None)
        forecast = predict([stale, client(1, Habit(3600))], (), RealmPolicy(), horizon_s=2 * DAY)
        assert forecast.first_lockout_s == DAY + 4 * 60
        assert forecast.blamed == ("client-0",)

    def test_a_missed_contact_happens_on_return_and_the_rhythm_goes_on_from_there(self) -> None:
        away = client(0, Habit(23 * 3600, phase_s=3600, absences=(Absence(0, 5 * 3600),)), gated=True)
        forecast = predict([away], [Published(0, second_account=True)], NO_HISTORY, horizon_s=DAY)
        assert after(forecast, "learned") == [(5 * 3600, "learned", "client-0")]

    def test_an_absence_between_two_contacts_changes_nothing(self) -> None:
        away = client(0, Habit(100, phase_s=50, absences=(Absence(60, 140),)), gated=True)
        forecast = predict([away], [Published(70, second_account=True)], NO_HISTORY, horizon_s=DAY)
        assert after(forecast, "learned") == [(150, "learned", "client-0")]

    def test_an_absence_that_begins_after_the_horizon_changes_nothing(self) -> None:
        away = client(10, Habit(100, absences=(Absence(1e15, INFINITE),)))
        assert predict([*ten(), away], (), NO_HISTORY, horizon_s=DAY).safe

    def test_unknown_phases_are_spread_over_the_interval(self) -> None:
        fleet = [client(number, Habit(100), gated=True) for number in range(4)]
        forecast = predict(fleet, [Published(0, second_account=True)], NO_HISTORY, horizon_s=DAY)
        assert [at for at, _, _ in after(forecast, "learned")] == [12.5, 37.5, 62.5, 87.5]

    @pytest.mark.parametrize(("gated", "orphaned"), [(False, ("client-0",)), (True, ())])
    def test_a_client_away_for_the_whole_overlap_is_named_unless_it_asks_first(
        self, gated: bool, orphaned: tuple[str, ...]
    ) -> None:
        away = client(0, Habit(3600, absences=(Absence(0, 90 * DAY),)), gated=gated)
        changes = [Published(0, second_account=True), Retired(30 * DAY)]
        assert predict([away, client(1)], changes, NO_HISTORY, horizon_s=60 * DAY).orphaned == orphaned

    def test_a_gate_does_not_help_when_nothing_valid_is_ever_published(self) -> None:
        assert len(predict(ten(gated=True), [PasswordSet(0)], NO_HISTORY, horizon_s=60).orphaned) == 10

    def test_a_gated_holder_presents_nothing_to_a_replica_that_does_not_show_the_change(self) -> None:
        changes = [PasswordSet(0), Published(1)]
        forecast = predict(ten(gated=True, at=1), changes, NO_HISTORY, replica_lag_s=(0, 8), horizon_s=60)
        assert forecast.safe

    def test_a_gated_holder_presents_nothing_to_a_retired_account_wherever_it_still_opens(self) -> None:
        fleet = [client(0, Habit(1, phase_s=0), behind=None, at=1), client(1, Habit(1), gated=True, at=1)]
        forecast = predict(fleet, [Retired(0)], RealmPolicy(), replica_lag_s=(0, 60), horizon_s=30)
        assert forecast.first_lockout_s == 4
        assert predict(fleet, (), RealmPolicy(), replica_lag_s=(0, 60), horizon_s=30).first_lockout_s is None

    def test_whoever_holds_the_second_account_never_presents_the_first_again(self) -> None:
        changes: list[Change] = [Published(0, second_account=True), PasswordSet(10), Published(10), PasswordSet(20)]
        assert predict(ten(), changes, NO_HISTORY, horizon_s=60).safe

    def test_within_the_grace_of_a_change_before_now_a_client_one_behind_learns(self) -> None:
        behind = client(0, behind=1)
        assert predict([behind], (), RealmPolicy(), changed_ago_s=3590, horizon_s=7200).safe
        assert not predict([behind], (), RealmPolicy(), changed_ago_s=3600, horizon_s=7200).safe
        too_late = client(0, Habit(20, phase_s=15), behind=1)
        assert not predict([too_late], (), RealmPolicy(), changed_ago_s=3590, horizon_s=7200).safe

    def test_a_change_and_a_contact_at_one_moment_are_taken_in_that_order(self) -> None:
        forecast = predict([client(0, Habit(10, phase_s=5))], [PasswordSet(5)], NO_HISTORY, horizon_s=5)
        assert after(forecast, "refused") == [(5, "refused", "client-0")]


class TestTheLogonScript:
    """A client whose user logs on every 100 s, counted from the refusal, where a script reinstalls it then."""

    SCRIPTED = Habit(interval_s=30, phase_s=7, logon_script_s=100)

    def test_it_brings_back_a_client_that_was_refused(self) -> None:
        forecast = predict([client(0, self.SCRIPTED)], [PasswordSet(0), Published(50)], NO_HISTORY, horizon_s=600)
        assert (forecast.orphaned, forecast.recovered) == ((), ("client-0",))
        assert after(forecast, "recovered") == [(107, "recovered", "client-0")]

    def test_it_brings_nothing_before_something_is_published(self) -> None:
        forecast = predict([client(0, self.SCRIPTED)], [PasswordSet(0), Published(107.5)], NO_HISTORY, horizon_s=600)
        assert after(forecast, "recovered") == [(207, "recovered", "client-0")]

    @pytest.mark.parametrize("leaves_s", [90, 107])
    def test_nobody_logs_on_to_a_machine_that_is_away(self, leaves_s: float) -> None:
        habit = replace(self.SCRIPTED, absences=(Absence(leaves_s, 250),))
        forecast = predict([client(0, habit)], [PasswordSet(0), Published(50)], NO_HISTORY, horizon_s=600)
        assert after(forecast, "recovered") == [(307, "recovered", "client-0")]

    def test_a_client_whose_user_has_not_logged_on_yet_is_orphaned(self) -> None:
        forecast = predict([client(0, self.SCRIPTED)], [PasswordSet(0), Published(50)], NO_HISTORY, horizon_s=106)
        assert (forecast.orphaned, forecast.recovered) == (("client-0",), ())

    def test_a_client_that_loses_its_password_again_is_orphaned_and_not_recovered(self) -> None:
        changes = [PasswordSet(0), Published(50), PasswordSet(300)]
        forecast = predict([client(0, self.SCRIPTED)], changes, NO_HISTORY, horizon_s=600)
        assert (forecast.orphaned, forecast.recovered) == (("client-0",), ())

    def test_logons_are_counted_from_the_first_refusal_whatever_happens_in_between(self) -> None:
        changes = [PasswordSet(0), PasswordSet(60), Published(250)]
        forecast = predict([client(0, self.SCRIPTED)], changes, NO_HISTORY, horizon_s=600)
        assert after(forecast, "recovered") == [(307, "recovered", "client-0")]

    def test_logons_are_counted_from_the_last_lock_that_kept_a_healthy_client_out(self) -> None:
        stale = client(0, Habit(1, phase_s=0), behind=None)
        healthy = client(1, Habit(5, phase_s=1, logon_script_s=4))
        policy = RealmPolicy(lockout_duration_s=10)
        # Locked from 4 to 14 and from 18 to 28: the client gets through at 16 and is refused at 21 and 26.
        forecast = predict([stale, healthy], [Published(27.5, second_account=True)], policy, horizon_s=60)
        assert after(forecast, "recovered") == [(29, "recovered", "client-1")]

    def test_a_client_that_is_reinstalled_before_it_comes_again_learns_nothing_more(self) -> None:
        stale = [client(number, Habit(INFINITE, phase_s=number), behind=None) for number in range(5)]
        healthy = client(5, Habit(200, phase_s=7, logon_script_s=100))
        policy = RealmPolicy(lockout_duration_s=60)
        forecast = predict([*stale, healthy], [Published(70, second_account=True)], policy, horizon_s=600)
        assert after(forecast, "recovered", "learned") == [(107, "recovered", "client-5")]

    def test_a_client_kept_out_by_a_lock_until_its_logon_gets_what_is_offered_then(self) -> None:
        stale = client(0, Habit(1, phase_s=0), behind=None)
        changes = [Published(60, second_account=True)]
        forecast = predict([stale, client(1, self.SCRIPTED)], changes, RealmPolicy(), horizon_s=600)
        assert forecast.recovered == ("client-1",)


class TestWhereMoreIsNotBetter:
    """A healthy client's logons reset the count for a stale one. Taking them away can lock the account."""

    STALE = client(0, Habit(2, phase_s=1), behind=None)
    POLICY = RealmPolicy(lockout_threshold=2)

    def test_an_earlier_publication_can_orphan_more(self) -> None:
        fleet = [self.STALE, client(1, Habit(2, phase_s=0)), client(2, Habit(INFINITE, phase_s=8.5))]

        def orphaned(published_s: float) -> tuple[str, ...]:
            changes = [Published(published_s, second_account=True), Retired(10)]
            return predict(fleet, changes, self.POLICY, horizon_s=60).orphaned

        assert orphaned(8) == ("client-0",)
        assert orphaned(0) == ("client-0", "client-2")

    def test_a_gate_can_bring_a_lockout_forward(self) -> None:
        def locks(gated: bool) -> float | None:
            fleet = [self.STALE, client(1, Habit(2, phase_s=0), gated=gated)]
            return predict(fleet, [PasswordSet(0)], self.POLICY, horizon_s=60).first_lockout_s

        assert locks(gated=False) is None
        assert locks(gated=True) == 3


class TestMoments:
    def test_changes_come_with_what_they_bring(self) -> None:
        changes = [Published(0, second_account=True), PasswordSet(10), Retired(20)]
        forecast = predict([client(0, Habit(30, phase_s=5))], changes, NO_HISTORY, horizon_s=60)
        assert forecast.moments == (
            Moment(0, "published", "second account"),
            Moment(5, "learned", "client-0"),
            Moment(10, "set"),
            Moment(20, "retired"),
        )

    def test_an_orphan_is_told_from_its_first_refusal_or_else_at_the_horizon(self) -> None:
        fleet = [client(0), client(1, Habit(2, absences=(Absence(0, 90),)))]
        forecast = predict(fleet, [PasswordSet(0)], NO_GRACE, horizon_s=60)
        assert after(forecast, "orphaned") == [(0.5, "orphaned", "client-0"), (60, "orphaned", "client-1")]

    def test_of_a_large_fleet_crowds_are_told_and_every_lock(self) -> None:
        fleet = [client(number, Habit(3600)) for number in range(1000)]
        forecast = predict(fleet, [PasswordSet(0), Published(60)], NO_HISTORY, horizon_s=7 * DAY)
        # The fifth client comes at 4.5 steps of 3.6 s; from then on half an hour locked and four steps take turns.
        locks = 1 + int((7 * DAY - 16.2) / (1800 + 14.4))
        assert len(after(forecast, "locked")) == locks
        assert len(forecast.moments) < 2 + 2 * locks + 200
        told = [who for _, kind, who in after(forecast, "orphaned")]
        assert sum(int(who.removesuffix(" holders")) for who in told) == 1000

    def test_of_endless_locks_a_thousand_are_told_and_nothing_else_is_lost(self) -> None:
        policy = RealmPolicy(history=0, lockout_duration_s=1)
        away = client(10, Habit(2, absences=(Absence(0, 29 * DAY),)), gated=True)
        forecast = predict([*ten(), away], [PasswordSet(0), Published(0)], policy, horizon_s=30 * DAY)
        assert len(after(forecast, "locked")) == LOCKS
        assert after(forecast, "learned") == [(29 * DAY, "learned", "client-10")]
        assert forecast.orphaned == tuple(f"client-{number}" for number in range(10))

    def test_a_lock_beyond_those_told_still_keeps_a_client_out(self) -> None:
        stale = client(0, Habit(10, phase_s=0), behind=None)
        healthy = client(1, Habit(INFINITE, phase_s=20_007))
        policy = RealmPolicy(lockout_threshold=1, lockout_duration_s=10)
        forecast = predict([stale, healthy], [Published(20_005, second_account=True)], policy, horizon_s=20_020)
        assert len(after(forecast, "locked")) > LOCKS
        assert not after(forecast, "learned")

    def test_few_refusals_of_one_holder_are_told(self) -> None:
        habit = Habit(60, logon_script_s=10 * DAY)
        fleet = [client(number, habit) for number in range(10)]
        forecast = predict(fleet, [PasswordSet(0), Published(0)], NO_HISTORY, horizon_s=DAY)
        assert len([who for _, _, who in after(forecast, "refused") if who == "client-9"]) == REFUSALS

    def test_what_lies_beyond_the_horizon_is_not_told(self) -> None:
        assert predict([], [PasswordSet(61)], NO_HISTORY, horizon_s=60).moments == ()


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        "contact",
        [
            client(0, at=1),
            client(0, behind=-1),
            client(0, Habit(0)),
            client(0, Habit(float("nan"))),
            client(0, Habit(2, phase_s=-1)),
            client(0, Habit(2, logon_script_s=0)),
        ],
    )
    def test_an_impossible_holder_is_named(self, contact: Contact) -> None:
        with pytest.raises(ValueError, match="client-0"):
            predict([contact], (), NO_HISTORY, horizon_s=60)

    def test_two_holders_of_one_name_are_refused(self) -> None:
        with pytest.raises(ValueError, match="one name"):
            predict([client(0), client(0)], (), NO_HISTORY, horizon_s=60)

    def test_a_change_in_the_past_is_refused(self) -> None:
        with pytest.raises(ValueError, match="in the past"):
            predict([client(0)], [PasswordSet(-1)], NO_HISTORY, horizon_s=60)

    @pytest.mark.parametrize("horizon_s", [-1, INFINITE, float("nan"), 1e15])
    def test_an_impossible_horizon_is_refused(self, horizon_s: float) -> None:
        with pytest.raises(ValueError, match="horizon"):
            predict([client(0)], (), NO_HISTORY, horizon_s=horizon_s)
