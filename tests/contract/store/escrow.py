"""What the contract asks of sealed envelopes: their digests, sealing again, and the papers that a change makes void."""

import hashlib
from dataclasses import replace

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.model.accounts import AccountToBe, AnyAccount, Credential
from keyturn.model.errors import NotFound
from keyturn.model.estate import AccountLife
from keyturn.model.secret import Secret
from keyturn.operations.custody import About, Told, read_about
from tests.contract.store.setting import Setting, paper
from tests.contract.store.world import CONN, CORP, SVC, in_place, make_live, running, sealed

SVC_NAME = "CORP\\SMSService"


def other_paper(account: AnyAccount, generation: int, secret: Secret) -> bytes:
    return b"for others: " + paper(account, generation, secret)


class EscrowContract(Setting):
    def told(self, store: SqlStore, kind: Told) -> list[tuple[str, About | None]]:
        return [(e.actor, read_about(e.detail)) for e in store.told_of_envelopes() if e.kind == kind]

    def digest(self, store: SqlStore, generation: int) -> str:
        return hashlib.sha256(store.envelope(SVC, generation)[1]).hexdigest()

    def test_the_digest_of_every_sealing_is_told_in_its_commit(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        lease.seal(sealed(SVC), Secret("Turn-1"))
        lease.seal(sealed(SVC), Secret("Turn-1"))
        assert self.told(store, Told.SEALED) == [("plan plan-1", About(SVC_NAME, 1, digest=self.digest(store, 1)))]
        store.adopt(sealed(CONN), CONN, Secret("Live-1"))
        assert [actor for actor, _ in self.told(store, Told.SEALED)] == ["plan plan-1", "keyturn"]

    def test_where_there_is_no_envelope_no_digest_is_told(self, store: SqlStore) -> None:
        bare = SqlStore(replace(store._database, envelope=lambda *_: b""))
        bare.adopt(sealed(CONN), CONN, Secret("Live-1"))
        assert self.told(store, Told.SEALED) == []
        assert store.envelopes(CONN) == ()

    def test_live_and_undecided_are_there_and_no_other(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        assert store.envelopes(SVC) == ()
        make_live(lease, SVC, 1)
        make_live(lease, SVC, 2, "Turn-2")
        lease.seal(sealed(SVC, 3, version=7), Secret("Turn-3"))
        live, undecided = store.envelopes(SVC)
        assert (live.account, live.generation, live.live, live.version) == (SVC, 2, True, 1)
        assert (undecided.generation, undecided.live, undecided.version_before) == (3, False, 7)
        assert undecided.version is None
        assert live.envelope == store.envelope(SVC, 2)[1]

    def test_sealing_again_replaces_the_envelope_and_its_digest_and_nothing_else(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        make_live(lease, SVC, 1)
        make_live(lease, SVC, 2, "Turn-2")
        before = store.estate()
        SqlStore(replace(store._database, envelope=other_paper)).reseal(SVC, 2, by="carl")
        assert store.envelope(SVC) == (2, b"for others: CORP\\SMSService 2 6")
        assert store.envelope(SVC, 1) == (1, b"CORP\\SMSService 1 6")
        assert store.secret(Credential(SVC, 2)) == Secret("Turn-2")
        assert store.estate() == before
        assert self.told(store, Told.SEALED)[-1] == ("carl", About(SVC_NAME, 2, digest=self.digest(store, 2)))

    def test_what_was_never_sealed_cannot_be_sealed_again(self, store: SqlStore) -> None:
        with pytest.raises(NotFound):
            store.reseal(SVC, 1, by="carl")
        with pytest.raises(NotFound):
            store.reseal(AccountToBe(CORP, "stranger"), 1, by="carl")

    def test_promoting_tells_once_which_papers_are_void(self, store: SqlStore) -> None:
        lease = running(store, in_place(SVC))
        make_live(lease, SVC, 1)
        store.tell("carl", Told.PRINTED, SVC_NAME, str(About(SVC_NAME, 1, serial="aaaa-aaaa")))
        store.tell("carl", Told.PRINTED, "CORP\\Other", str(About("CORP\\Other", 1, serial="bbbb-bbbb")))
        make_live(lease, SVC, 1)
        assert self.told(store, Told.PAPER_VOID) == []
        make_live(lease, SVC, 2, "Turn-2")
        lease.promote(Credential(SVC, 2), SVC, 1)
        assert self.told(store, Told.PAPER_VOID) == [("keyturn", About(SVC_NAME, 1, serial="aaaa-aaaa"))]

    def test_adopting_another_password_makes_papers_void(self, store: SqlStore) -> None:
        store.adopt(sealed(SVC), SVC, Secret("Live-1"))
        store.tell("carl", Told.PRINTED, SVC_NAME, str(About(SVC_NAME, 1, serial="aaaa-aaaa")))
        store.adopt(sealed(SVC, 2), SVC, Secret("Live-2"))
        assert len(self.told(store, Told.PAPER_VOID)) == 1

    @pytest.mark.parametrize(
        ("life", "void"), [(AccountLife.WITHDRAWN, 0), (AccountLife.DISABLED, 1), (AccountLife.DELETED, 1)]
    )
    def test_the_papers_of_an_account_are_void_with_the_account(
        self, store: SqlStore, life: AccountLife, void: int
    ) -> None:
        lease = running(store, in_place(SVC))
        make_live(lease, SVC, 1)
        store.tell("carl", Told.PRINTED, SVC_NAME, str(About(SVC_NAME, 1, serial="aaaa-aaaa")))
        lease.become(SVC, life)
        assert len(self.told(store, Told.PAPER_VOID)) == void

    def test_custodians_are_told_beside_envelopes_and_other_events_are_not(self, store: SqlStore) -> None:
        store.tell("setup", "custody-pinned", "custody", "1 of alice ABCD")
        store.tell("ann", "plan-done", "plan-1", SVC_NAME)
        assert [event.kind for event in store.told_of_envelopes()] == ["custody-pinned"]
