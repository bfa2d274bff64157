"""The only room that names adapters: it puts the parts together and hands them to whoever was called.

Imports stand inside the functions: an agent must not load the store, and `keyturn --help` must load neither.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyturn.agent.ports import AgentParts, SoftwareParts
    from keyturn.agent.software.ports import Computer
    from keyturn.cli.tools import Ask, Listen, StoreMoved
    from keyturn.distribution.msi.package import Package
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
            open_msi=_open_msi,
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
        software=_software(),
    )


def _software() -> "SoftwareParts | None":
    """None where no runner of ours is at home. What reaches shares is loaded when a share is reached."""
    import sys

    if sys.platform not in ("linux", "win32"):
        return None
    from keyturn.agent.ports import Open, SoftwareParts
    from keyturn.agent.software.ports import Point, Runner
    from keyturn.agent.transport import PinnedStream
    from keyturn.model.errors import Refused

    def runner(runs: Path, protocol: "LogonProtocol") -> Runner:
        if sys.platform == "win32":
            from keyturn.adapters.runners.windows.runner import WindowsRunner

            return WindowsRunner(runs)
        from keyturn.adapters.runners.posix.runner import PosixRunner

        return PosixRunner(runs, protocol=protocol)

    def domain_token() -> str:
        from keyturn.adapters.runners.posix.domain_token import missing

        return missing()

    def smb_point(place: str, protocol: "LogonProtocol") -> Point:
        try:
            from keyturn.adapters.shares.smb_content import SmbPoint
        except ImportError:
            raise Refused(f"this agent cannot read {place}", hint="pip install 'keyturn[software]'") from None
        return SmbPoint(place, protocol)

    def https_point(opens: Open, place: str, url: str) -> Point:
        from keyturn.adapters.shares.https_content import HttpsPoint

        return HttpsPoint(opens, place, url)

    return SoftwareParts(runner, PinnedStream, smb_point, https_point, domain_token, _computer())


def _computer() -> "Computer":
    import sys

    from keyturn.agent.software.ports import LeftAlone

    if sys.platform == "win32":
        return LeftAlone()
    from keyturn.adapters.runners.posix.computer import PosixComputer

    return PosixComputer()


def _open_msi(file: Path, transforms: tuple[Path, ...]) -> "Package":
    from keyturn.adapters.msi_files import open_package

    return open_package(file, transforms)


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
