"""Consumers of kinds that other packages bring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from keyturn.agent.consumers.commands import Ran
from keyturn.agent.consumers.settings import PluginConsumer
from keyturn.model.accounts import AccountToBe, Credential, RealmName
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.secret import Secret
from keyturn.operations.plugins import CONSUMERS, bringing, whereabouts


@dataclass(frozen=True, slots=True)
class Health:
    """`trouble` is in one line why it does not work, and never what a password is; empty where it does."""

    trouble: str = ""


class Consumer(Protocol):
    """Whoever uses one account of this machine, or the second account that takes its place: `credential` says which.
    Every verb may be called again after a crash, and ends by itself."""

    def holds(self, credential: Credential, secret: Secret) -> bool:
        """Whether it has this password already. Changes nothing."""

    def adopt(self, credential: Credential, secret: Secret) -> Health:
        """Take the password over, in place of the one before. In trouble it still has the one before."""

    def verify(self, credential: Credential) -> Health:
        """Whether its user works with what it has: as near to a logon as can be, and at most one wrong one."""


Maker: TypeAlias = Callable[[Mapping[str, str]], Consumer]
"""From what stands under `[consumer.settings]`. Refused for settings that are missing or unknown. Changes nothing."""


def adopt(consumer: PluginConsumer, account: str, generation: int, secret: Secret) -> Ran:
    """Safe to repeat: it is asked first whether it holds this password."""
    realm, _, name = account.partition("\\")
    credential = Credential(AccountToBe(RealmName(realm), name), generation)
    try:
        trouble = _trouble(_opened(consumer), credential, secret)
    except KeyturnError as error:
        trouble = f"{error.message} ({error.hint})" if error.hint else error.message
    except Exception as error:
        trouble = f"{consumer.kind} failed: {whereabouts(error)}"
    if secret.reveal() in trouble:
        trouble = "what it said is left out, for the password is in it"
    return Ran(not trouble, trouble)


def _trouble(consumer: Consumer, credential: Credential, secret: Secret) -> str:
    adopted = Health() if consumer.holds(credential, secret) else consumer.adopt(credential, secret)
    return adopted.trouble or consumer.verify(credential).trouble


def _opened(consumer: PluginConsumer) -> Consumer:
    plugin = bringing(CONSUMERS, consumer.kind)
    maker = plugin.load()
    if not callable(maker):
        raise Refused(f"{plugin} brings {consumer.kind} by something that makes no consumer")
    made: Consumer = maker(dict(consumer.settings))
    return made
