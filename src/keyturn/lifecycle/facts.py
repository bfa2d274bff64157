"""What a step asks before it acts: which account is meant, how it stands in its realm, what was sealed for it."""

from dataclasses import dataclass

from keyturn.lifecycle.journal import Stopped
from keyturn.lifecycle.parity import disparity
from keyturn.lifecycle.ports import AccountState, Authorities, Authority, Sealed, Vault
from keyturn.model.accounts import Account, AnyAccount, Credential
from keyturn.model.errors import Refused


@dataclass(frozen=True, slots=True)
class Facts:
    """Asked anew each time; nothing of a realm is remembered."""

    authorities: Authorities
    vault: Vault

    def authority(self, account: AnyAccount) -> Authority:
        return self.authorities(account.realm)

    def known(self, account: AnyAccount) -> Account:
        """Refused for a planned account that is not made yet."""
        known = self.vault.identity(account)
        if known is None:
            raise Refused(f"{account} does not exist yet")
        return known

    def state(self, account: AnyAccount) -> AccountState:
        known = self.known(account)
        return self.authority(known).describe(known)

    def sealed(self, credential: Credential) -> Sealed:
        sealed = self.vault.sealed(credential)
        if sealed is None:
            raise Refused(f"{credential} was never sealed")
        return sealed

    def unequal(self, source: AnyAccount, target: AnyAccount) -> Stopped | None:
        """None while both may do the same. Somebody may have changed that since they were made equal."""
        old, new = self.known(source), self.known(target)
        difference = disparity(self.authority(old).rights(old), self.authority(new).rights(new))
        return Stopped(f"{new} may not do the same as {old}: it {difference}") if difference else None
