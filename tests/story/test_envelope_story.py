"""One administrator who alone knows, a safe, and the day on which somebody else must get in."""

from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import delete, update

from keyturn.adapters.store.schema import events, generations
from keyturn.adapters.store.store import SqlStore
from keyturn.escrow.custody import Custodian, Custody
from keyturn.escrow.drill import answer
from keyturn.escrow.envelope import Content, open_envelope, seal
from keyturn.escrow.outside import read_outside
from keyturn.lifecycle.plan import SetPassword
from keyturn.model.accounts import Account, AccountToBe, Credential, RealmName
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import LogonProtocol
from keyturn.model.secret import Secret
from keyturn.operations import plans
from keyturn.operations.custody import Drill
from keyturn.operations.drills import end_drill
from keyturn.operations.envelopes import (
    EnvelopesOf,
    HandedOut,
    Purpose,
    all_envelopes,
    due,
    hand_out,
    seal_anew,
    tell_custody,
)
from keyturn.operations.verification import verify
from tests.estates import ADDITIONAL, INSTALLATION, MACHINES
from tests.inner_site import CUSTODIAN, CUSTODY, InnerSite, site_in

ACCOUNT = "CORP\\KtInstall"
KEYS = {"alice": str(CUSTODIAN)}


@pytest.fixture
def site(tmp_path: Path) -> InnerSite:
    """One account, changed in place, generation 1 live, held by three machines."""
    return furnished(tmp_path, INSTALLATION, ACCOUNT)


def furnished(folder: Path, estate: str, account: str) -> InnerSite:
    site = site_in(folder, estate)
    site.enrol(*MACHINES)
    site.create(account)
    for _ in range(4):
        site.contact(*MACHINES)
    return site


def rotate(site: InnerSite, account: str = ACCOUNT) -> None:
    assert site.run(site.rotate(account).plan_id, machines=MACHINES).state == "done"


def seen(site: InnerSite, account: str = ACCOUNT) -> EnvelopesOf:
    return next(each for each in all_envelopes(site.parts) if str(each.managed.account) == account)


def taken(site: InnerSite, purpose: Purpose, generation: int | None = None) -> HandedOut:
    return hand_out(site.parts, ACCOUNT, generation, purpose, by="carl")


def content_of(handed: HandedOut) -> Content:
    return open_envelope(handed.envelope, KEYS).content


def told(site: InnerSite, kind: str) -> list[str]:
    return [event.detail for event in site.store.since() if event.kind == kind]


def account_in(site: InnerSite) -> Account:
    found = site.realm().find("KtInstall")
    assert found
    return found


def faults(site: InnerSite) -> tuple[str, ...]:
    return verify(site.parts, ACCOUNT)[0].faults


# Opening.


def test_an_opening_is_told_and_the_account_is_due_until_its_next_generation_is_live(site: InnerSite) -> None:
    assert due(site.parts) == {}
    handed = taken(site, Purpose.OPEN)
    assert content_of(handed).password == site.store.secret(Credential(account_in(site), 1))
    assert told(site, "envelope-opened") == [f"generation=1; account={ACCOUNT}"]
    act = due(site.parts)["corp\\ktinstall"]
    assert (act.by, act.at) == ("carl", site.clock.now)
    rotate(site)
    assert due(site.parts) == {}
    assert seen(site).history.openings, "what happened stays told"


def test_opening_an_old_generation_calls_for_nothing(site: InnerSite) -> None:
    rotate(site)
    handed = taken(site, Purpose.OPEN, generation=1)
    assert content_of(handed).generation == 1
    assert due(site.parts) == {}


def test_an_opened_account_that_was_replaced_is_due_no_longer(tmp_path: Path) -> None:
    site = furnished(tmp_path, ADDITIONAL, "CORP\\KtClient")
    hand_out(site.parts, "KtClient", None, Purpose.OPEN, by="carl")
    assert set(due(site.parts)) == {"corp\\ktclient"}
    assert seen(site, "CORP\\KtClient").opened
    rotate(site, "KtClient")
    assert due(site.parts) == {}
    assert seen(site, "CORP\\KtClient").opened is None


def test_while_a_change_is_undecided_both_generations_are_sealed(site: InnerSite) -> None:
    record = site.rotate(ACCOUNT)
    set_password = next(n for n, p in enumerate(record.plan.steps) if isinstance(p.step, SetPassword))
    realm = site.realm()
    original = realm.set_password
    realm.set_password = lambda *_, **__: None  # type: ignore[method-assign]
    plans.advance_plan(site.parts, record.plan_id, "worker")
    assert set_password not in {n for n, m in site.store.plan(record.plan_id).marks.items() if m.mark == "done"}
    assert [(kept.generation, kept.live) for kept in seen(site).kept] == [(1, True), (2, False)]
    assert faults(site) == ()
    assert "generation 2 is sealed too" in verify(site.parts, ACCOUNT)[0].note
    assert content_of(taken(site, Purpose.OPEN, generation=2)).generation == 2
    realm.set_password = original  # type: ignore[method-assign]
    assert site.run(record.plan_id, machines=MACHINES).state == "done"
    assert [(kept.generation, kept.live) for kept in seen(site).kept] == [(2, True)]
    assert set(due(site.parts)) == {"corp\\ktinstall"}, "the candidate that was opened is live now"


def test_nothing_is_handed_out_untold_except_to_be_opened_on_the_worst_day(site: InnerSite) -> None:
    class Full:
        def tell(self, *_: str) -> None:
            raise NotFound("the disk is full")

        def __getattr__(self, verb: str) -> object:
            return getattr(site.store, verb)

    parts = replace(site.parts, store=Full())  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        hand_out(parts, ACCOUNT, None, Purpose.OPEN, by="carl")
    handed = hand_out(parts, ACCOUNT, None, Purpose.OPEN, by="carl", untold=True)
    assert not handed.told
    assert content_of(handed).generation == 1


# Papers and copies.


def test_a_paper_is_void_after_the_next_rotation_and_that_is_told_once(site: InnerSite) -> None:
    handed = taken(site, Purpose.PRINT)
    assert len(handed.serial) == 9
    before = seen(site)
    assert before.history.void(before.password) == ()
    assert before.history.out_of_sight(1) == 1
    rotate(site)
    after = seen(site)
    assert [paper.serial for paper in after.history.void(after.password)] == [handed.serial]
    assert after.history.out_of_sight(2) == 0
    rotate(site)
    assert told(site, "paper-void") == [f"generation=1; serial={handed.serial}; account={ACCOUNT}"]


def test_the_paper_of_an_account_that_was_replaced_is_void(tmp_path: Path) -> None:
    site = furnished(tmp_path, ADDITIONAL, "CORP\\KtClient")
    serial = hand_out(site.parts, "KtClient", None, Purpose.PRINT, by="carl").serial
    rotate(site, "KtClient")
    assert told(site, "paper-void") == [f"generation=1; serial={serial}; account=CORP\\KtClient"]
    old = seen(site, "CORP\\KtClient")
    assert [paper.serial for paper in old.history.void(old.password)] == [serial]


# Verification.


def test_every_account_is_in_order_after_a_rotation(tmp_path: Path) -> None:
    site = furnished(tmp_path, ADDITIONAL, "CORP\\KtClient")
    rotate(site, "KtClient")
    assert [(v.account, v.faults) for v in verify(site.parts)] == [("CORP\\KtClient", ()), ("CORP\\KtClient_2", ())]


def test_a_password_changed_behind_our_back_is_told_without_a_logon(site: InnerSite) -> None:
    site.realm().set_password(account_in(site), Secret("Somebody-else-9"))
    assert [fault for fault in faults(site) if "the realm's password is another than the sealed one" in fault]
    assert site.realm().failed_logons(0) == 0


def test_an_envelope_that_somebody_exchanged_is_told(site: InnerSite) -> None:
    account = account_in(site)
    forged = seal(account, 1, Secret("Not-the-real-1"), CUSTODY, site="PHX")
    exchange(site.store, forged)
    assert [fault for fault in faults(site) if "its digest is another" in fault]


def test_the_envelope_of_another_generation_in_its_place_is_told(site: InnerSite) -> None:
    old = site.store.envelope(account_in(site))[1]
    rotate(site)
    exchange(site.store, old)
    assert [fault for fault in faults(site) if "says that it is of CORP\\KtInstall generation 1" in fault]


def test_a_lost_digest_and_a_lost_envelope_are_told(site: InnerSite) -> None:
    with site.store._database.writing() as connection:
        connection.execute(delete(events))
    assert [fault for fault in faults(site) if "is not recorded" in fault]
    exchange(site.store, b"")
    assert faults(site) == ("there is no envelope of generation 1, which is live",)


def test_an_account_whose_password_nobody_knows_is_not_in_order(tmp_path: Path) -> None:
    site = site_in(tmp_path, INSTALLATION)
    found = site.realm().create(AccountToBe(RealmName("CORP"), "KtInstall"), Secret("Known-to-Olga-1"))
    assert verify(site.parts) == ()
    site.store.identify(found)
    assert faults(site) == ("Keyturn does not know its live password, so no envelope holds it",)


def exchange(store: SqlStore, envelope: bytes) -> None:
    """What somebody with the database and without the audit log's key can do."""
    with store._database.writing() as connection:
        connection.execute(update(generations).where(generations.c.state == "live").values(envelope=envelope))


# A custodian leaves.


def test_after_a_custodian_left_the_envelope_is_sealed_for_those_who_stay(tmp_path: Path) -> None:
    site = furnished(tmp_path, INSTALLATION, ACCOUNT)
    tell_custody(site.parts, by="setup")
    site.close()
    newcomer = pyrage.x25519.Identity.generate()
    custody = Custody((Custodian("dora", str(newcomer.to_public())),))
    again = site_in(tmp_path, INSTALLATION, clock=site.clock, custody=custody)
    tell_custody(again.parts, by="keyturn.toml")
    tell_custody(again.parts, by="keyturn.toml")
    assert told(again, "custody-changed") == [f"1 of dora {custody.fingerprints['dora']}"]
    assert [fault for fault in faults(again) if "sealed for other custodians" in fault]
    assert [kept.generation for kept in seal_anew(again.parts, None, by="carl")] == [1]
    assert faults(again) == ()
    envelope = again.store.envelope(account_in(again))[1]
    assert read_outside(envelope).opens_with == (("dora",),)
    assert open_envelope(envelope, {"dora": str(newcomer)}).content.generation == 1


def test_an_account_without_a_known_password_cannot_be_sealed(tmp_path: Path) -> None:
    site = site_in(tmp_path, INSTALLATION)
    with pytest.raises(Refused, match="no password that Keyturn knows"):
        seal_anew(site.parts, ACCOUNT, by="carl")


# The drill.


def drilled(site: InnerSite, password: Secret | None = None, serial: str = "") -> Drill:
    handed = taken(site, Purpose.DRILL)
    content = content_of(handed)
    if password:
        content = Content(content.account, content.generation, content.site, password)
    return end_drill(site.parts, ACCOUNT, handed.challenge, answer(content, handed.challenge), serial=serial, by="carl")


def test_a_drill_proves_by_one_logon_what_the_custodians_opened(site: InnerSite) -> None:
    before = len(site.realm().logons(0))
    assert drilled(site).passed
    assert len(site.realm().logons(0)) == before + 1
    assert seen(site).history.drills[-1].passed
    assert due(site.parts) == {}, "a drill shows the password to nobody"
    assert seen(site).history.out_of_sight(1) == 0


def test_the_drill_confirms_the_paper_however_its_serial_is_typed(site: InnerSite) -> None:
    serial = taken(site, Purpose.PRINT).serial
    assert drilled(site, serial=serial.replace("-", " ").upper()).serial == serial
    assert seen(site).history.papers[0].confirmed_at == site.clock.now


@pytest.mark.parametrize("serial", ["nosuch", "x; account=CORP\\Other"])
def test_a_serial_that_was_never_printed_fails_the_drill_and_is_not_repeated(site: InnerSite, serial: str) -> None:
    drill = drilled(site, serial=serial)
    assert (drill.passed, drill.why) == (False, "no paper of this serial holds the live generation")
    assert serial not in "".join(told(site, "drill-failed"))


def test_a_void_paper_fails_the_drill(site: InnerSite) -> None:
    serial = taken(site, Purpose.PRINT).serial
    rotate(site)
    assert not drilled(site, serial=serial).passed


def test_a_wrong_password_fails_the_drill_without_reaching_the_realm(site: InnerSite) -> None:
    before = len(site.realm().logons(0))
    drill = drilled(site, Secret("Another-password-1"))
    assert (drill.passed, drill.why) == (False, "the envelope holds another password than the sealed one")
    assert len(site.realm().logons(0)) == before


def test_an_envelope_that_did_not_open_is_a_failed_drill(site: InnerSite) -> None:
    handed = taken(site, Purpose.DRILL)
    assert end_drill(site.parts, ACCOUNT, handed.challenge, "", by="carl").why == "the envelope did not open"
    assert not seen(site).history.drills[-1].passed


def test_an_answer_counts_once_and_for_its_own_drill(site: InnerSite) -> None:
    handed = taken(site, Purpose.DRILL)
    said = answer(content_of(handed), handed.challenge)
    with pytest.raises(Refused, match="no such drill"):
        end_drill(site.parts, ACCOUNT, "another1", said, by="carl")
    assert end_drill(site.parts, ACCOUNT, handed.challenge, said, by="carl").passed
    with pytest.raises(Refused, match="no such drill"):
        end_drill(site.parts, ACCOUNT, handed.challenge, said, by="carl")


def test_a_drill_is_lost_when_the_password_changes_before_its_end(site: InnerSite) -> None:
    handed = taken(site, Purpose.DRILL)
    rotate(site)
    said = answer(content_of(handed), handed.challenge)
    assert "is not live any more" in end_drill(site.parts, ACCOUNT, handed.challenge, said, by="carl").why


def test_a_password_changed_behind_our_back_fails_the_drill_and_costs_no_bad_attempt(site: InnerSite) -> None:
    site.realm().set_password(account_in(site), Secret("Somebody-else-9"))
    assert not drilled(site).passed
    assert site.realm().failed_logons(0) == 0


def test_a_drill_spends_no_logon_that_the_budget_does_not_have(site: InnerSite) -> None:
    found = account_in(site)
    for _ in range(4):
        site.realm().try_logon(found, Secret("Wrong-password-1"), protocol=LogonProtocol.KERBEROS)
    drill = drilled(site)
    assert not drill.passed
    assert "no logon may be spent" in drill.why
    assert not site.realm().describe(found).locked


def test_an_old_generation_is_not_drilled(site: InnerSite) -> None:
    rotate(site)
    with pytest.raises(Refused, match="generation 1 of CORP\\\\KtInstall is not live"):
        taken(site, Purpose.DRILL, generation=1)
