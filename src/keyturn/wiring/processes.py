"""The processes that run a site: all in one, or servers and workers apart over one PostgreSQL store."""

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keyturn.adapters.site_files.layout import SiteFiles, alone_in
from keyturn.adapters.site_files.settings import SiteSettings
from keyturn.model.errors import Refused
from keyturn.wiring.site import assembled, opened, store_password

if TYPE_CHECKING:
    from keyturn.adapters.engine.jobs import JobEngine
    from keyturn.cli.tools import Ask, Listen
    from keyturn.operations.parts import Parts
    from keyturn.server.serving import Listening

Ready = Callable[[str], None]
"""Told in a line what now runs."""


class Engine(Protocol):
    def start(self, parts: "Parts") -> None: ...

    def stop(self) -> None: ...

    def wake(self) -> None: ...


def up(root: Path, ask: "Ask", ready: Ready) -> None:
    """Server and worker in one process, the only one of its kind over this directory."""
    from keyturn.adapters.engine.embedded import EmbeddedEngine

    files, settings = opened(root)
    with alone_in(files):
        engine = _job_engine(files, settings) if _is_shared(settings) else EmbeddedEngine()
        _serve(files, settings, ask, engine, _listening(files, settings), ready)


def serve(root: Path, ask: "Ask", listen: "Listen", ready: Ready) -> None:
    """A server among others: it calls the workers, and does none of their work."""
    from keyturn.adapters.engine.jobs import Caller

    files, settings = opened(root)
    address = _shared(settings)
    listening = _listening(files, settings)
    if listen is not None:
        listening = replace(listening, host=listen[0], port=listen[1])
    _serve(files, settings, ask, Caller(address, store_password(files, address)), listening, ready)


def work(root: Path, ask: "Ask", ready: Ready) -> None:
    """A worker among others, until SIGTERM or SIGINT."""
    files, settings = opened(root)
    engine = _job_engine(files, settings)
    _prepare_process()
    parts, _ = assembled(files, settings, ask, engine.wake)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    engine.start(parts)
    try:
        ready(f"worker {engine.name} of site {settings.operating.site} at work")
        # A handler runs in the main thread, which is not woken by a signal that another thread was given.
        while not ended.wait(1):
            pass
    finally:
        engine.stop()


def dump_no_core() -> None:
    """A crash must not write passwords and keys to disk."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _serve(
    files: SiteFiles, settings: SiteSettings, ask: "Ask", engine: Engine, listening: "Listening", ready: Ready
) -> None:
    from keyturn.operations.envelopes import tell_custody
    from keyturn.server.serving import serve

    _prepare_process()
    parts, _ = assembled(files, settings, ask, engine.wake)
    tell_custody(parts, by=files.settings.name)
    serve(parts, listening, engine, lambda url: ready(f"site up at {url}"))


def _prepare_process() -> None:
    dump_no_core()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _listening(files: SiteFiles, settings: SiteSettings) -> "Listening":
    from keyturn.server.serving import Listening

    return Listening(
        settings.host,
        settings.port,
        files.certificate,
        files.certificate_key,
        files.authority.read_bytes(),
        settings.authorities,
    )


def _job_engine(files: SiteFiles, settings: SiteSettings) -> "JobEngine":
    from keyturn.adapters.engine.jobs import JobEngine

    address = _shared(settings)
    return JobEngine(address, store_password(files, address))


def _shared(settings: SiteSettings) -> str:
    """The address of a store that several processes may use."""
    if settings.store is None or not _is_shared(settings):
        raise Refused(
            f"the store of site {settings.operating.site} is a file, and one process runs it: keyturn up",
            hint="keyturn store move postgresql://… lets several share it",
        )
    return settings.store


def _is_shared(settings: SiteSettings) -> bool:
    return settings.store is not None and settings.store.startswith("postgresql:")
