"""The forecast against the plainest telling of the same rules, and what must hold for every fleet."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from keyturn.lockout.changes import Change, Contact, Forecast, PasswordSet, Published, Retired
from keyturn.lockout.forecast import predict
from keyturn.model.estate import Absence, Habit
from keyturn.model.logon import LogonProtocol
from keyturn.model.policy import RealmPolicy
from tests.property.oracle_forecast import foretell

# Few distinct moments, so that many things fall on the same one.
moments = st.integers(0, 60).map(float) | st.integers(0, 600).map(lambda tenths: tenths / 10)
spans = st.sampled_from((0.7, 1.0, 2.0, 3.0, 5.0, 7.5, 20.0, 100.0))


@st.composite
def absences(draw: st.DrawFn) -> Absence:
    start = draw(st.integers(-5, 50).map(float))
    return Absence(start, start + draw(st.sampled_from((0.0, 0.5, 3.0, 10.0, 30.0, float("inf")))))


habits = st.builds(
    Habit,
    interval_s=spans,
    phase_s=st.none() | moments,
    absences=st.lists(absences(), max_size=3).map(tuple),
    logon_script_s=st.none() | spans,
)
changes = st.lists(
    st.builds(PasswordSet, moments)
    | st.builds(Published, moments, st.booleans())
    | st.builds(Published, moments)
    | st.builds(Retired, moments),
    max_size=5,
)
policies = st.builds(
    RealmPolicy,
    lockout_threshold=st.integers(0, 6),
    lockout_window_s=st.sampled_from((0.0, 1.0, 4.0, 30.0)),
    lockout_duration_s=st.sampled_from((0.0, 0.5, 3.0, 20.0)),
    history=st.sampled_from((0, 1, 2, 3, 24)),
    grace_s=st.sampled_from((0.0, 2.0, 15.0, 3600.0)),
)


@st.composite
def fleets(draw: st.DrawFn, replicas: int = 1, size: int = 8) -> list[Contact]:
    return [
        Contact(
            name=f"client-{number}",
            habit=draw(habits),
            protocol=draw(st.sampled_from(LogonProtocol)),
            gated=draw(st.booleans()),
            behind=draw(st.sampled_from((0, 0, 0, 0, 1, 2, 3, 7, None))),
            replica=draw(st.integers(0, replicas - 1)),
        )
        for number in range(draw(st.integers(0, size)))
    ]


def told(forecast: Forecast) -> Forecast:
    return replace(forecast, moments=())


@given(data=st.data(), changes=changes, policy=policies, horizon_s=st.sampled_from((0.0, 10.0, 60.0)))
def test_the_forecast_is_what_the_truth_table_says_contact_by_contact(
    data: st.DataObject, changes: list[Change], policy: RealmPolicy, horizon_s: float
) -> None:
    lags = data.draw(st.lists(st.sampled_from((0.0, 1.0, 8.0, float("inf"))), min_size=1, max_size=3))
    fleet = data.draw(fleets(len(lags)))
    circumstances = {
        "replica_lag_s": lags,
        "lock_lag_s": data.draw(st.sampled_from((0.0, 1.0, 6.0))),
        "changed_ago_s": data.draw(st.none() | st.sampled_from((0.0, 1.0, 5.0, 3590.0))),
        "horizon_s": horizon_s,
    }
    assert told(predict(fleet, changes, policy, **circumstances)) == foretell(fleet, changes, policy, **circumstances)
