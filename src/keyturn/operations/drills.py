"""The drill: custodians show that they can open the envelope, and one logon that what it holds is live.

The password stays on the custodians' machine: they answer a challenge with it, the answer is compared with that of the
sealed generation, and that generation logs on, through the lockout budget. A wrong one never reaches the realm.
"""

from dataclasses import replace

from keyturn.escrow.drill import is_answer
from keyturn.escrow.envelope import Content
from keyturn.lifecycle.execution import PROOF
from keyturn.model.accounts import Account, Credential
from keyturn.model.errors import AuthorityError, BudgetExhausted, Refused
from keyturn.model.logon import Answer
from keyturn.operations.custody import About, Drill, Told
from keyturn.operations.envelopes import EnvelopesOf, envelopes_of
from keyturn.operations.parts import Parts
from keyturn.operations.verification import verify


def end_drill(parts: Parts, account: str, challenge: str, answer: str, *, serial: str = "", by: str) -> Drill:
    """`answer` is that of `escrow.drill`, or empty: the envelope did not open. Either way the drill is recorded.

    Refused for a drill that was not begun, or has ended: an answer counts once.
    """
    found = envelopes_of(parts, account)
    generation = _begun(found, challenge)
    paper = _paper(found, generation, serial)
    about = About(str(found.managed.account), generation, serial=paper, drill=challenge)
    why = _NO_SUCH_PAPER if serial and not paper else _failing(parts, found, about, answer)
    kind = Told.DRILL_FAILED if why else Told.DRILL_PASSED
    parts.store.tell(by, kind, about.account, str(replace(about, why=why)))
    return Drill(generation, parts.now(), by, not why, paper, why)


_NO_SUCH_PAPER = "no paper of this serial holds the live generation"


def _begun(found: EnvelopesOf, challenge: str) -> int:
    for known, act in found.history.begun:
        if known == challenge:
            return act.generation
    raise Refused(f"no such drill of {found.managed.account} is under way", hint="keyturn envelope drill begins one")


def _failing(parts: Parts, found: EnvelopesOf, about: About, answer: str) -> str:
    """Why it fails; empty: it passed. The logon comes last, because it is the one thing that costs."""
    if not answer:
        return "the envelope did not open"
    if about.generation != found.managed.generation:
        return f"generation {about.generation} is not live any more"
    live = Credential(found.managed.account, about.generation)
    secret = parts.store.secret(live)
    if not is_answer(answer, Content(about.account, about.generation, parts.settings.site, secret), about.drill):
        return "the envelope holds another password than the sealed one"
    if verify(parts, about.account)[0].faults:
        return "the envelope in the store is not in order, keyturn envelope verify says why"
    return _logon(parts, found, live)


def _logon(parts: Parts, found: EnvelopesOf, live: Credential) -> str:
    account = found.managed.account
    assert isinstance(account, Account), "verified above"
    try:
        answer = parts.authorities(account.realm).try_logon(account, parts.store.secret(live), protocol=PROOF)
    except BudgetExhausted as wait:
        return f"no logon may be spent on it now, try again in {wait.retry_s:.0f} s"
    except AuthorityError:
        return "its realm does not answer"
    return "" if answer is Answer.ACCEPTED else f"the realm answers {answer}"


def _paper(found: EnvelopesOf, generation: int, serial: str) -> str:
    """The serial as it was printed, however it was typed; empty for one that was never printed. What is typed here
    does not reach the log."""
    papers = [paper.serial for paper in found.history.papers if paper.generation == generation]
    return next((known for known in papers if _letters(known) == _letters(serial)), "")


def _letters(serial: str) -> str:
    return "".join(filter(str.isalnum, serial)).lower()
