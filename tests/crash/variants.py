"""Keyturn broken in the ways in which others lose passwords and lock machines out."""

from typing import Any

from keyturn.lifecycle.ports import Sealed, Uptake
from keyturn.model.accounts import Account, Credential
from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret
from tests.crash.memory_store import MemoryStore, State


class Variant:
    """Keyturn as it is. A broken one puts something around its ports; one instance is one process."""

    def lease(self, lease: Any, realm: Any) -> Any:
        return lease

    def realm(self, realm: Any, store: Any) -> Any:
        return realm


class Around:
    """A port with some verbs replaced."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._inner, verb)


class SealsLate(Variant):
    """The candidate stays in memory until it is promoted."""

    def lease(self, lease: Any, realm: Any) -> Any:
        return LateVault(lease)


class LateVault(Around):
    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._pending: dict[Credential, tuple[Sealed, Secret]] = {}

    def seal(self, sealed: Sealed, secret: Secret) -> None:
        self._pending[sealed.credential] = (sealed, secret)

    def sealed(self, credential: Credential) -> Sealed | None:
        return self._pending[credential][0] if credential in self._pending else self._inner.sealed(credential)

    def open(self, credential: Credential) -> Secret:
        return self._pending[credential][1] if credential in self._pending else self._inner.open(credential)

    def promote(self, credential: Credential, account: Account, version: int) -> None:
        if credential in self._pending:
            self._inner.seal(*self._pending.pop(credential))
        self._inner.promote(credential, account, version)


class SetsBeforeSealed(Variant):
    """The realm has the candidate before the vault does."""

    def lease(self, lease: Any, realm: Any) -> Any:
        return HastyVault(lease, realm)


class HastyVault(Around):
    def __init__(self, inner: Any, realm: Any) -> None:
        super().__init__(inner)
        self._realm = realm

    def seal(self, sealed: Sealed, secret: Secret) -> None:
        self._realm.set_password(sealed.credential.account, secret)
        self._inner.seal(sealed, secret)


class DiscardsOnError(Variant):
    """Whatever goes wrong with a candidate, it is thrown away and another one made."""

    def realm(self, realm: Any, store: Any) -> Any:
        return ForgetfulRealm(realm, store)


class ForgetfulRealm(Around):
    def __init__(self, inner: Any, store: MemoryStore) -> None:
        super().__init__(inner)
        self._store = store

    def set_password(self, account: Account, secret: Secret) -> None:
        try:
            self._inner.set_password(account, secret)
        except AuthorityError:
            kept = self._store.generations
            for key in [key for key, one in kept.items() if one.state is State.UNDECIDED]:
                del kept[key]
            raise


class RetiresOnPublish(Variant):
    """Whoever was offered a credential counts as having proven it."""

    def lease(self, lease: Any, realm: Any) -> Any:
        return CredulousHoldings(lease)


class CredulousHoldings(Around):
    def uptake(self, credential: Credential) -> Uptake:
        return Uptake(proven=self._inner.holders(credential.account))
