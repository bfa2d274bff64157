"""The store of a site carried to another database, and the site's settings with it."""

import time
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from keyturn.adapters.site_files.layout import SiteFiles, alone_in, put_in_place
from keyturn.adapters.site_files.settings import SiteSettings, with_store
from keyturn.adapters.store.login import StoreLogin
from keyturn.model.secret import Secret
from keyturn.wiring.site import assembled, opened, seal_key, store_address, store_logins

if TYPE_CHECKING:
    from keyturn.cli.tools import Ask, StoreMoved


def move(root: Path, ask: "Ask", address: str, password: Secret | None, name: str | None, by: str) -> "StoreMoved":
    """The settings are the last thing written: until then the command can be given again."""
    ask = cache(ask)
    from keyturn.adapters.store.store import Place, move_store
    from keyturn.cli.tools import StoreMoved

    files, settings = opened(root)
    with alone_in(files):
        old = store_address(files, settings)
        if old == address:
            return StoreMoved(old, address, {})
        if old.startswith("sqlite:"):  # one that joined with its store on a server may come back from there
            _refuse_at_secondary(files, settings, ask)
        if password is not None:
            put_in_place(files.store_password(address), StoreLogin(password, name).text().encode())
        copied = move_store(
            Place(old, store_logins(files, old)),
            Place(address, store_logins(files, address)),
            seal_key=seal_key(files, settings, ask),
            now=time.time,
            by=by,
        )
        put_in_place(files.settings, with_store(files.settings.read_text(), address).encode())
    return StoreMoved(old, address, copied.rows)


def _refuse_at_secondary(files: SiteFiles, settings: SiteSettings, ask: "Ask") -> None:
    from keyturn.adapters.store.errors import Moved
    from keyturn.operations.secondary import refuse_store_move

    with suppress(Moved):  # half way: it was asked when it began, and has to end
        parts, store = assembled(files, settings, ask)
        with closing(store):
            refuse_store_move(parts)
