"""Every kind of realm that this site knows, and whether it can open one."""

from keyturn import __version__
from keyturn.adapters.authorities.realms import maker_of
from keyturn.model.errors import Refused
from keyturn.model.estate import RealmKind
from keyturn.operations.plugins import AUTHORITIES, installed
from keyturn.operations.realm_kinds import KindOfRealm


def kinds_of_realms() -> tuple[KindOfRealm, ...]:
    """Keyturn's own first. Loads what it names, and connects to nothing."""
    own = tuple(KindOfRealm(kind.value, "keyturn", __version__, _trouble(kind)) for kind in RealmKind)
    return (*own, *(_brought(plugin.kind, plugin.package, plugin.version) for plugin in installed(AUTHORITIES)))


def _brought(kind: str, package: str, version: str) -> KindOfRealm:
    taken = kind in set(RealmKind)
    return KindOfRealm(kind, package, version, "Keyturn brings this kind itself" if taken else _trouble(kind))


def _trouble(kind: str) -> str:
    if kind == RealmKind.BUILTIN:
        return ""
    try:
        maker_of(kind)
    except Refused as refused:
        return f"{refused.message} ({refused.hint})" if refused.hint else refused.message
    return ""
