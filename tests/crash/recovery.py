"""What must be true of a site on disk right after a kill, and once another process has gone on with it."""

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.model.accounts import Account, AnyAccount, Credential
from keyturn.model.errors import NotFound
from keyturn.model.estate import AccountLife
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.operations.parts import LEASE_S
from keyturn.operations.ports import Store
from tests.crash.disk import ROUND_S, Left
from tests.estates import MACHINES
from tests.inner_site import InnerSite


def survive(left: Left, start: Left) -> None:
    """What a custodian would find right after the kill, and then what recovery makes of it."""
    with start.realm() as realm:
        before = versions(realm)
    with left.opened(after_s=LEASE_S + 1) as site:
        with left.realm() as realm:
            live_passwords_open(site.store, realm)
        recover(site, left, before)


def recover(site: InnerSite, left: Left, before: dict[str, int]) -> None:
    record = site.run(left.plan_id, machines=MACHINES, step_s=ROUND_S)
    assert record.state == "done", record.note
    assert site.realm().failed_logons(0) == 0
    assert versions(site.realm()) == left.case.wanted(before)
    assert AccountLife.PLANNED not in [managed.life for managed in site.store.estate().accounts]
    live_passwords_open(site.store, site.realm())


def live_passwords_open(store: Store, realm: BuiltinRealm) -> None:
    """For every account of the realm: one of the sealed generations is the live password. This costs logons."""
    for managed in store.estate().accounts:
        account = realm.find(managed.account.name)
        if account is None:
            continue
        generations = range(1, (managed.generation or 0) + 2)
        assert any(opens(store, realm, account, managed.account, number) for number in generations), (
            f"the live password of {account} cannot be opened"
        )


def opens(store: Store, realm: BuiltinRealm, account: Account, known_as: AnyAccount, generation: int) -> bool:
    try:
        secret = store.secret(Credential(known_as, generation))
    except NotFound:
        return False
    answer = realm.try_logon(account, secret, protocol=LogonProtocol.KERBEROS)
    return answer in (Answer.ACCEPTED, Answer.DISABLED)


def versions(realm: BuiltinRealm) -> dict[str, int]:
    return {a.name: realm.describe(a).pinned.version for a in realm.administration.accounts()}
