"""Carrying out one step of a plan: resolve what has happened already, then do what is left.

The order is that of the design's anchors: the candidate is sealed with the realm's version mark, then set; whether a
set landed is read from the mark, never guessed from an answer; one logon proves it; only then is it promoted. What
follows for its holders is `handover`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keyturn.lifecycle.facts import Facts
from keyturn.lifecycle.guards import refuse_unequal
from keyturn.lifecycle.handover import Handover
from keyturn.lifecycle.journal import Done, Outcome, Stopped, Waiting
from keyturn.lifecycle.plan import (
    AwaitCanary,
    AwaitConvergence,
    AwaitQuiet,
    AwaitUptake,
    CopyRights,
    CreateAccount,
    Delete,
    Disable,
    ForgetIdentity,
    Publish,
    ReachWith,
    RecreateAccessPoint,
    ReinstallComponents,
    Seal,
    SetPassword,
    Step,
    StopComponents,
    VerifyPassword,
    Withdraw,
    WriteControlFile,
)
from keyturn.lifecycle.ports import AccountState, Authorities, Holdings, Sealed, SiteWorks, Vault
from keyturn.lifecycle.questions import changed_by_somebody_else, not_verified, set_again
from keyturn.lifecycle.site_steps import carry_out
from keyturn.model.accounts import Account, AccountToBe, AnyAccount, Credential
from keyturn.model.errors import AuthorityError, BudgetExhausted, NotFound, Refused
from keyturn.model.estate import AccountLife
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.secret import Secret

PROOF = LogonProtocol.KERBEROS
"""The protocol of our own proof: the one under which a realm never accepts the previous password (NTLM and LDAP do
within the grace, so that a logon with them could prove a password that somebody has replaced already)."""

_BAD_AT_WORST = 2
"""Bad attempts to be reckoned with where a live password may be wrong: ours, and a holder's before the gate closes."""

_RIGHT_BUT_BARRED = (Answer.DISABLED, Answer.ACCOUNT_EXPIRED, Answer.PASSWORD_EXPIRED, Answer.MUST_CHANGE)
"""Answers a realm gives to the right password only: a wrong one is told apart (facts measured per realm)."""


@dataclass(frozen=True, slots=True)
class Execution:
    """Performs the steps of one plan. `check` raises FencedOff once the plan is another worker's; `resumed` says
    whether a person has said to go on after exactly this question."""

    authorities: Authorities
    vault: Vault
    holdings: Holdings
    check: Callable[[], None]
    now: Callable[[], float]
    new_password: Callable[[AnyAccount], Secret]
    works: SiteWorks
    resumed: Callable[[str], bool]

    def perform(self, step: Step, since: float) -> Outcome:
        try:
            return self._perform(step, since)
        except BudgetExhausted as wait:
            return Waiting(str(wait), retry_s=wait.retry_s)
        except AuthorityError as error:
            return Stopped(str(error), error.hint) if error.permanent else Waiting(str(error))
        except Refused as refusal:
            return Stopped(str(refusal), refusal.hint)

    def landed(self, credential: Credential) -> bool:
        """Whether the realm shows that a password was set since this one was sealed."""
        return _sets(self._facts.sealed(credential), self._facts.state(credential.account)) != 0

    def _perform(self, step: Step, since: float) -> Outcome:
        facts, handover = self._facts, self._handover
        match step:
            case ReachWith(realm, account):
                self.authorities(realm).find(account.name)
                return Done()
            case Seal(credential):
                return self._seal(credential)
            case VerifyPassword(credential):
                return self._verify(credential)
            case CreateAccount(account, like=like, generation=generation):
                return self._create(Credential(account, generation), account, like)
            case CopyRights(source, target):
                return self._copy_rights(source, target)
            case SetPassword(credential, behind):
                return (self._disturbed(behind) if behind else None) or self._set_password(credential)
            case AwaitConvergence(credential):
                return self._await_convergence(credential)
            case Publish(credential, holders, at_once, like):
                unequal = facts.unequal(like, credential.account) if like else None
                return unequal or handover.publish(credential, holders, at_once)
            case AwaitCanary(credential, patience_s):
                return self._disturbed(credential) or handover.await_canary(credential, since + patience_s)
            case AwaitUptake(credential, holders, patience_s):
                return self._disturbed(credential) or handover.await_uptake(credential, holders, since + patience_s)
            case Withdraw(account, in_favour_of):
                lost = self._disturbed(in_favour_of) or facts.unequal(account, in_favour_of.account)
                return lost or handover.withdraw(account, in_favour_of)
            case AwaitQuiet(account, quiet_s, in_favour_of):
                return self._disturbed(in_favour_of) or handover.await_quiet(account, quiet_s, since)
            case Disable(account, in_favour_of):
                return self._disturbed(in_favour_of) or handover.retire(account, AccountLife.DISABLED)
            case Delete(account):
                return handover.retire(account, AccountLife.DELETED)
            case ForgetIdentity(account):
                return self._forget(account)
            case StopComponents() | WriteControlFile() | ReinstallComponents() | RecreateAccessPoint():
                self.check()
                return carry_out(step, self.works, self.holdings.released())

    def _seal(self, credential: Credential) -> Outcome:
        if self.vault.sealed(credential):
            return Done()
        account = self.vault.identity(credential.account)
        if account is None:
            if self._facts.authority(credential.account).find(credential.account.name):
                return Stopped(
                    f"{credential.account} exists already and was not made by this plan",
                    hint="abandon the plan and choose another name, or adopt the account",
                )
            sealed = Sealed(credential, replica="", version_before=0)
        else:
            pinned = self._facts.authority(account).describe(account).pinned
            sealed = Sealed(credential, pinned.replica, pinned.version)
        self.vault.seal(sealed, self.vault.given(credential) or self.new_password(credential.account))
        return Done()

    def _verify(self, credential: Credential) -> Outcome:
        """Changes nothing. A second try after a refusal is a person's to ask for."""
        account = self._facts.known(credential.account)
        answer = self._facts.authority(account).try_logon(account, self.vault.open(credential), protocol=PROOF)
        match answer:
            case Answer.ACCEPTED:
                return Done()
            case Answer.LOCKED:
                return Waiting(f"{account} is locked, so its password cannot be verified yet")
            case _:
                return not_verified(credential, answer)

    def _create(self, first: Credential, planned: AccountToBe, like: AnyAccount | None) -> Outcome:
        sealed = self._facts.sealed(first)
        if sealed.promoted:
            return Done()
        authority = self._facts.authority(planned)
        account = authority.find(planned.name)
        if account is None:
            self.check()
            try:
                account = authority.create(planned, self.vault.open(first), self._facts.known(like) if like else None)
            except AuthorityError:
                account = authority.find(planned.name)
                if account is None:
                    raise
        return self._prove(sealed, authority.describe(account), replica=None)

    def _set_password(self, credential: Credential) -> Outcome:
        sealed = self._facts.sealed(credential)
        if sealed.promoted:
            return Done()
        account = self._facts.known(credential.account)
        authority = self._facts.authority(account)
        state = authority.describe(account)
        if _sets(sealed, state) == 0:
            self.check()
            try:
                authority.set_password(account, self.vault.open(credential))
            except AuthorityError as error:
                if error.permanent and _sets(sealed, authority.describe(account)) == 0:
                    raise
            state = authority.describe(account)
            if _sets(sealed, state) == 0:
                return Waiting(f"{account.realm} has not taken the password of {account}; the same one goes again")
        return self._prove(sealed, state, sealed.replica)

    def _prove(self, sealed: Sealed, state: AccountState, replica: str | None) -> Outcome:
        """`state` was read just now, and after the set."""
        credential, account = sealed.credential, state.account
        secret = self.vault.open(credential)
        version = (state.at(replica) if replica else state.pinned).version
        sets = version - sealed.version_before
        answer = self._facts.authority(account).try_logon(account, secret, protocol=PROOF, replica=replica)
        if answer is Answer.ACCEPTED or answer in _RIGHT_BUT_BARRED:
            if sets > 1 and state.pinned.counted:
                self.vault.record(credential, f"{sets} passwords set since it was sealed; the last is ours")
            if isinstance(credential.account, AccountToBe):
                self.vault.settle(credential.account, account)
            self.vault.promote(credential, account, version)
        match answer:
            case Answer.ACCEPTED:
                return Done()
            case Answer.LOCKED:
                return Waiting(f"{account} is locked, so its new password cannot be proven yet")
            case Answer.WRONG_PASSWORD | Answer.UNKNOWN_ACCOUNT:
                self.vault.record(credential, f"refused when proven: {answer}")
                return changed_by_somebody_else(account)
            case _:
                return Stopped(f"the new password of {account} is right, but the account is barred: {answer}")

    def _await_convergence(self, credential: Credential) -> Outcome:
        state = self._facts.state(credential.account)
        if disturbed := self._departed(credential, state):
            return disturbed
        behind = tuple(r.replica for r in state.replicas if r.version != state.pinned.version)
        if behind:
            return Waiting(f"{', '.join(behind)} has not replicated the password of {state.account}", behind)
        return Done()

    def _disturbed(self, credential: Credential) -> Outcome | None:
        return self._departed(credential, self._facts.state(credential.account))

    def _departed(self, credential: Credential, state: AccountState) -> Outcome | None:
        """None while the realm has the credential under the mark it was proven under.

        Within the grace holders go on as if nothing had happened, so it is the mark that tells; and no logon is spent
        on a password that is likely wrong by now, unless a person resumes the plan: it may be a late set of ours.
        """
        account, sealed = self._facts.known(credential.account), self._facts.sealed(credential)
        if state.pinned.version == sealed.version:
            return None
        asked = set_again(account, proven_under=sealed.version, now=state.pinned.version)
        if self.resumed(asked.question) and not 0 < state.policy.lockout_threshold <= _BAD_AT_WORST:
            outcome = self._prove(sealed, state, sealed.replica or None)
            return None if isinstance(outcome, Done) else outcome
        self.vault.record(credential, asked.question)
        return asked

    def _forget(self, account: Account) -> Outcome:
        try:
            self._facts.authority(account).describe(account)
        except NotFound:
            self.check()
            self.vault.forget(account)
            return Done()
        return Stopped(f"{account} is in its realm, so it is not made anew", hint="abandon the plan and plan anew")

    def _copy_rights(self, source: AnyAccount, target: AnyAccount) -> Outcome:
        """An account that stands in the plan with an identity was there before it, and is compared only."""
        old, new = self._facts.known(source), self._facts.known(target)
        authority = self._facts.authority(new)
        wanted = self._facts.authority(old).rights(old)
        if isinstance(target, Account):
            refuse_unequal(old, new, wanted, authority.rights(new))
            return Done()
        self.check()
        authority.grant(new, wanted)
        return self._facts.unequal(source, target) or Done()

    @property
    def _facts(self) -> Facts:
        return Facts(self.authorities, self.vault)

    @property
    def _handover(self) -> Handover:
        return Handover(self._facts, self.holdings, self.check, self.now)


def _sets(sealed: Sealed, state: AccountState) -> int:
    """How many passwords were set since it was sealed, by whomever; where the realm does not count, whether any was."""
    return state.at(sealed.replica).version - sealed.version_before
