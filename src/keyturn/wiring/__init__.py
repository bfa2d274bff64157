"""The only room that names adapters: it puts the parts together and hands them to whoever was called.

Imports stand inside the functions: an agent must not load the store, and `keyturn --help` must load neither.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyturn.agent.ports import AgentParts
    from keyturn.cli.tools import Ask, Listen, StoreMoved
    from keyturn.model.logon import LogonProtocol
    from keyturn.model.secret import Secret
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
            serve=_serve,
            work=_work,
            store_address=_store_address,
            move_store=_move_store,
            door=_door,
            site=_site,
            agent=_agent,
            saved_door=_saved_door,
            save_door=_save_door,
        )
    )


def _init(founding: "Founding", ask: "Ask") -> list[str]:
    from keyturn.adapters.site_files.founding import found
    from keyturn.wiring.site import assembled

    return found(founding, parts=lambda files, settings: assembled(files, settings, ask)[0])


def _up(root: Path, ask: "Ask", ready: Callable[[str], None]) -> None:
    from keyturn.wiring.processes import up

    up(root, ask, ready)


def _serve(root: Path, ask: "Ask", listen: "Listen", ready: Callable[[str], None]) -> None:
    from keyturn.wiring.processes import serve

    serve(root, ask, listen, ready)


def _work(root: Path, ask: "Ask", ready: Callable[[str], None]) -> None:
    from keyturn.wiring.processes import work

    work(root, ask, ready)


def _store_address(root: Path) -> str:
    from keyturn.wiring.site import opened, store_address

    return store_address(*opened(root))


def _move_store(
    root: Path, ask: "Ask", address: str, password: "Secret | None", name: str | None, by: str
) -> "StoreMoved":
    from keyturn.wiring.moving import move

    return move(root, ask, address, password, name, by)


@contextmanager
def _site(root: Path, ask: "Ask") -> "Iterator[Parts]":
    from keyturn.wiring.site import assembled, opened

    parts, store = assembled(*opened(root), ask)
    try:
        yield parts
    finally:
        store.close()


def _agent() -> "AgentParts":
    import random

    from keyturn.adapters.shares.https import HttpsShare
    from keyturn.agent.ports import AgentParts, Share, no_smb
    from keyturn.agent.transport import PinnedHttps, fetch_authority
    from keyturn.wire.windows import Reached, no_windows
    from keyturn.wiring.processes import dump_no_core

    dump_no_core()

    def smb(place: str, protocol: "LogonProtocol") -> Share:
        try:
            from keyturn.adapters.shares.smb import SmbShare
        except ImportError:
            return no_smb(place, protocol)
        return SmbShare(place, protocol)

    def windows(host: str) -> AbstractContextManager[Reached]:
        try:
            from keyturn.adapters.windows_machines.session import reach
        except ImportError:
            return no_windows(host)
        return reach(host)

    return AgentParts(
        exchange=PinnedHttps,
        share=HttpsShare,
        authority=fetch_authority,
        now=time.time,
        random=random.random,
        smb=smb,
        windows=windows,
    )


def _door(root: Path) -> "Door":
    from keyturn.model.secret import Secret
    from keyturn.wire.door import Door
    from keyturn.wiring.site import opened

    files, settings = opened(root)
    token = Secret(files.admin_token.read_text().strip())
    return Door(f"https://{settings.names[0]}:{settings.port}", files.authority.read_text(), token)


def _saved_door() -> "Door | None":
    from keyturn.adapters.site_files.saved_login import load

    return load()


def _save_door(door: "Door") -> None:
    from keyturn.adapters.site_files.saved_login import save

    save(door)
