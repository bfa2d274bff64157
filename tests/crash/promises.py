"""What holds at every moment, whatever is killed when, and what holds once a plan has ended."""

from keyturn.model.accounts import Account
from keyturn.model.estate import AccountLife
from keyturn.model.logon import Answer
from keyturn.operations.ports import PlanRecord, PlanState
from tests.crash.memory_realm import OURSELVES
from tests.crash.moods import THEIRS
from tests.crash.world import World


def at_every_moment(world: World, start: World) -> None:
    """`start` is the same world before the plan began."""
    live_passwords_open(world)
    no_generation_is_gone(world, start)
    nobody_is_locked(world)
    few_bad_attempts_of_ours(world)
    if not world.realm.theirs_at:
        no_machine_was_refused(world)
    everybody_is_served(world)


def live_passwords_open(world: World) -> None:
    for account in accounts(world):
        live = world.realm.realm.live_password(account)
        kept = world.store.generations_of(account).values()
        ours = any(generation.secret == live for generation in kept)
        assert ours or live == THEIRS, f"the live password of {account} cannot be opened"


def no_generation_is_gone(world: World, start: World) -> None:
    for key, generation in start.store.generations.items():
        now = world.store.generations.get(key)
        assert now is not None, f"{key} is gone"
        assert now.secret == generation.secret, f"{key} is another one now"


def nobody_is_locked(world: World) -> None:
    locking = [tried for tried in world.realm.realm.log if tried.locking]
    assert not locking, f"{locking[0].source} locked {locking[0].name}"


def few_bad_attempts_of_ours(world: World) -> None:
    """One for an account and window at most."""
    window = world.realm.realm.policy.lockout_window_s
    bad = [t for t in world.realm.realm.log if t.source == OURSELVES and t.answer is Answer.WRONG_PASSWORD]
    for one, other in ((a, b) for n, a in enumerate(bad) for b in bad[n + 1 :] if a.name == b.name):
        assert other.at - one.at >= window, f"two bad attempts of ours on {one.name} within {other.at - one.at:.0f} s"


def no_machine_was_refused(world: World) -> None:
    refused = [t for t in world.realm.realm.log if t.source != OURSELVES and t.answer is not Answer.ACCEPTED]
    assert not refused, f"{refused[0].source} failed a logon: {refused[0].answer}"


def everybody_is_served(world: World) -> None:
    """No machine that keeps anything is left with retired accounts alone. What it has logged on with it keeps: an
    agent writes a password down before presenting it, whether or not the answer reaches it."""
    for name, kept in world.held.items():
        proven = {key for (key, _, who), place in world.store.places.items() if who == name and place.proven_at}
        keeps = proven | kept.keys()
        assert not keeps or any(in_service(world, account) for account in keeps), f"{name} has no account left"


def in_service(world: World, name: str) -> bool:
    account = world.store.named(name).account
    entry = world.realm.realm.entries.get(account.sid) if isinstance(account, Account) else None
    return entry is not None and entry.enabled and world.store.named(name).life is AccountLife.ACTIVE


def the_plan_is_done(world: World, record: PlanRecord, start: World) -> None:
    """As if nothing had happened: every password set once, every new account made once."""
    assert record.state is PlanState.DONE, f"{record.state}: {record.note}"
    assert sets(world) == wanted_sets(start)
    assert all(managed.life is not AccountLife.PLANNED for managed in world.store.accounts.values())


def sets(world: World) -> dict[str, int]:
    """How often each account's password was set, its making included."""
    return {account.name: world.realm.realm.describe(account).pinned.version for account in accounts(world)}


def wanted_sets(start: World) -> dict[str, int]:
    return start.case.wanted(sets(start))


def accounts(world: World) -> list[Account]:
    realm = world.realm.realm
    return [Account(realm.name, sid, entry.name) for sid, entry in realm.entries.items()]
