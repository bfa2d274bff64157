"""The only module that names adapters: it puts the parts together and hands them to whoever was called.

Imports stand inside the functions: an agent must not load the store, and `keyturn --help` must load neither.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyturn.adapters.site_files.layout import SiteFiles
    from keyturn.adapters.site_files.settings import SiteSettings
    from keyturn.adapters.store.store import SqlStore
    from keyturn.agent.ports import AgentParts
    from keyturn.cli.tools import Ask
    from keyturn.model.estate import Holder
    from keyturn.operations.founding import Founding
    from keyturn.operations.parts import Parts
    from keyturn.wire.door import Door


def main() -> None:
    from keyturn.cli.main import run
    from keyturn.cli.tools import Tools

    run(
        Tools(
            init=_init,
            up=_up,
            door=_door,
            site=_site,
            agent=_agent,
            saved_door=_saved_door,
            save_door=_save_door,
        )
    )


def _dump_no_core() -> None:
    """A crash must not write passwords and keys to disk."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _agent() -> "AgentParts":
    import random

    from keyturn.adapters.shares.https import HttpsShare
    from keyturn.agent.ports import AgentParts
    from keyturn.agent.transport import PinnedHttps, fetch_authority

    _dump_no_core()
    return AgentParts(
        exchange=PinnedHttps, share=HttpsShare, authority=fetch_authority, now=time.time, random=random.random
    )


def _up(root: Path, ask: "Ask", ready: Callable[[str], None]) -> None:
    import logging

    from keyturn.adapters.site_files.layout import alone_in, existing
    from keyturn.adapters.site_files.settings import read_settings
    from keyturn.operations.envelopes import tell_custody
    from keyturn.server.serving import Listening, serve
    from keyturn.server.worker import Worker

    _dump_no_core()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    files = existing(root)
    settings = read_settings(files.settings.read_text())
    sole = alone_in(files)
    worker = Worker("embedded")
    parts = _parts(files, settings, worker.wake, _store(files, settings, ask))
    tell_custody(parts, by=files.settings.name)
    listening = Listening(
        settings.host,
        settings.port,
        files.certificate,
        files.certificate_key,
        files.authority.read_bytes(),
        settings.authorities,
    )
    with sole:
        serve(parts, listening, worker, ready)


def _parts(files: "SiteFiles", settings: "SiteSettings", wake: Callable[[], None], store: "SqlStore") -> "Parts":
    from keyturn.adapters.authorities.builtin.site_realms import Access, SiteRealms, Toolbox
    from keyturn.lifecycle.budgeted import Budgeted
    from keyturn.operations.parts import Parts

    realms = SiteRealms(store.estate, files.realm, time.time)
    machines = _Machines(store)

    def prepare() -> None:
        realms.prepare()
        machines.forget()

    return Parts(
        settings=replace(settings.operating, custody=settings.custody),
        store=store,
        authorities=lambda realm: Budgeted(realms(realm), store, time.time),
        access_realm=lambda realm: Access(realms(realm)),
        realm_tools=lambda realm: Toolbox(realms(realm)),
        machine=machines,
        prepare_realms=prepare,
        now=time.time,
        choose=secrets.choice,
        token=lambda: secrets.token_urlsafe(32),
        new_id=_new_id,
        wake=wake,
    )


class _Machines:
    """Holders by name, read from the estate when first asked for after a change."""

    def __init__(self, store: "SqlStore") -> None:
        self._store = store
        self._known: dict[str, Holder] | None = None

    def __call__(self, name: str) -> "Holder | None":
        if self._known is None:
            estate = self._store.estate()
            holders = [*estate.all_clients(), *(consumer.holder for consumer in estate.consumers)]
            self._known = {holder.name: holder for holder in holders}
        return self._known.get(name)

    def forget(self) -> None:
        self._known = None


def _store(files: "SiteFiles", settings: "SiteSettings", ask: "Ask") -> "SqlStore":
    from keyturn.adapters.store.seal_key import SealKey
    from keyturn.adapters.store.store import open_store
    from keyturn.escrow.envelope import seal

    salt = settings.seal_salt
    return open_store(
        f"sqlite:///{files.store}",
        seal_key=SealKey.from_passphrase(ask(), salt) if salt else SealKey.load(files.seal_key),
        envelope=lambda account, generation, secret: seal(
            account, generation, secret, settings.custody, site=settings.operating.site
        ),
        now=time.time,
        new_id=_new_id,
    )


def _new_id() -> str:
    """Short enough to type: eight characters of 32, so 40 bits; the store refuses one that exists."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8))


def _init(founding: "Founding", ask: "Ask") -> list[str]:
    from keyturn.adapters.site_files.founding import found

    return found(
        founding, parts=lambda files, settings: _parts(files, settings, lambda: None, _store(files, settings, ask))
    )


def _door(root: Path) -> "Door":
    from keyturn.adapters.site_files.layout import existing
    from keyturn.adapters.site_files.settings import read_settings
    from keyturn.model.secret import Secret
    from keyturn.wire.door import Door

    files = existing(root)
    settings = read_settings(files.settings.read_text())
    token = Secret(files.admin_token.read_text().strip())
    return Door(f"https://{settings.names[0]}:{settings.port}", files.authority.read_text(), token)


@contextmanager
def _site(root: Path, ask: "Ask") -> "Iterator[Parts]":
    from keyturn.adapters.site_files.layout import existing
    from keyturn.adapters.site_files.settings import read_settings

    files = existing(root)
    settings = read_settings(files.settings.read_text())
    store = _store(files, settings, ask)
    try:
        yield _parts(files, settings, lambda: None, store)
    finally:
        store.close()


def _saved_door() -> "Door | None":
    from keyturn.adapters.site_files.saved_login import load

    return load()


def _save_door(door: "Door") -> None:
    from keyturn.adapters.site_files.saved_login import save

    save(door)
