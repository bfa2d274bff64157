"""The components of a site that speak to other sites."""

import random
from collections.abc import Callable, Sequence

from keyturn.operations.bundles import open_arrived
from keyturn.operations.content_below import gather
from keyturn.operations.despooling import HANDLERS
from keyturn.operations.handing_down import HandingDown
from keyturn.operations.parts import Parts
from keyturn.operations.receive_inbox import take_from
from keyturn.operations.reports_above import tell_owners
from keyturn.operations.sending import Sender
from keyturn.operations.site_credentials import prove_fresh, tell_sites
from keyturn.server.supervision import Component
from keyturn.site.components import ComponentName

LOOK_S = 0.5
"""How long a bundle may lie before it is looked for."""


def link_components(parts: Parts, chance: Callable[[], float] = random.random) -> Sequence[Component]:
    """`chance` gives numbers from 0 to 1. A site that knows of no other is spared the dozen readings of a look."""
    sender, handing = Sender(parts, chance), HandingDown(parts)

    def tell() -> float:
        if parts.store.known_sites():
            tell_sites(parts)
            handing.turn()
            tell_owners(parts)
        return LOOK_S

    def send() -> float:
        if parts.store.known_sites():
            prove_fresh(parts)
            sender.turn()
        return LOOK_S

    def open_all() -> float:
        if parts.receive_folder is not None:
            take_from(parts, parts.receive_folder)
        if parts.store.known_sites():
            open_arrived(parts, HANDLERS)
            gather(parts)
        return LOOK_S

    return (
        Component(ComponentName.HIERARCHY_MANAGER, tell),
        Component(ComponentName.SENDER, send, allowed_s=600),
        Component(ComponentName.DESPOOLER, open_all, allowed_s=600),
    )
