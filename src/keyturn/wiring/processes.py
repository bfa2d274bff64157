"""The processes that run a site: all in one, or servers and workers apart over one PostgreSQL store."""

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keyturn.adapters.site_files.layout import SiteFiles, alone_in
from keyturn.adapters.site_files.settings import SiteSettings
from keyturn.cli.told_to_stop import told_to_stop
from keyturn.model.errors import Refused
from keyturn.wiring.site import assembled, opened, store_logins

if TYPE_CHECKING:
    from keyturn.adapters.engine.jobs import Caller, JobEngine
    from keyturn.cli.tools import Ask, Listen
    from keyturn.operations.parts import Parts
    from keyturn.server.serving import Engine, Listening
    from keyturn.server.supervision import Supervisor

Ready = Callable[[str], None]
"""Told in a line what now runs."""


def up(root: Path, ask: "Ask", ready: Ready) -> None:
    """Server and worker in one process, the only one of its kind over this directory."""
    from keyturn.adapters.engine.embedded import EmbeddedEngine
    from keyturn.server.supervision import Supervisor
    from keyturn.wiring.components import PlanEngine, of_a_server, of_a_worker

    files, settings = opened(root)
    shared = _is_shared(settings)
    with alone_in(files):
        engine = PlanEngine(lambda: _job_engine(files, settings) if shared else EmbeddedEngine())
        name = f"up {_own_name()}" if shared else "up"  # a file has one process, which finds its own rows again
        supervisor = Supervisor(name, lambda parts: (*of_a_server(parts), *of_a_worker(parts, engine)))
        _serve(files, settings, ask, engine.wake, supervisor, supervisor, _listening(files, settings), ready)


def serve(root: Path, ask: "Ask", listen: "Listen", ready: Ready) -> None:
    """A server among others: it calls the workers, and does none of their work."""
    from keyturn.adapters.engine.jobs import Caller
    from keyturn.server.supervision import Supervisor
    from keyturn.wiring.components import of_a_server

    files, settings = opened(root)
    address = _shared(settings)
    listening = _listening(files, settings)
    if listen is not None:
        listening = replace(listening, host=listen[0], port=listen[1])
    caller = Caller(address, store_logins(files, address))
    supervisor = Supervisor(f"serve {_own_name()}", of_a_server)
    _serve(files, settings, ask, caller.wake, _Calling(caller, supervisor), supervisor, listening, ready)


def work(root: Path, ask: "Ask", ready: Ready) -> None:
    """A worker among others, until SIGTERM or SIGINT."""
    from keyturn.server.supervision import Supervisor
    from keyturn.wiring.components import PlanEngine, of_a_worker

    files, settings = opened(root)
    _shared(settings)
    engine = PlanEngine(lambda: _job_engine(files, settings))
    supervisor = Supervisor(f"work {_own_name()}", lambda parts: of_a_worker(parts, engine))
    _prepare_process()
    parts, _ = assembled(files, settings, ask, engine.wake)
    with told_to_stop() as stopped:
        supervisor.start(parts)
        try:
            ready(f"worker {_own_name()} of site {settings.operating.site} at work")
            stopped.wait()
        finally:
            supervisor.stop()


@dataclass(frozen=True, slots=True)
class _Calling:
    """A server's components, and the way to call the workers."""

    caller: "Caller"
    supervisor: "Supervisor"

    def start(self, parts: "Parts") -> None:
        self.caller.start(parts)
        self.supervisor.start(parts)

    def stop(self) -> None:
        self.supervisor.stop()
        self.caller.stop()


def dump_no_core() -> None:
    """A crash must not write passwords and keys to disk."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _serve(
    files: SiteFiles,
    settings: SiteSettings,
    ask: "Ask",
    wake: Callable[[], None],
    engine: "Engine",
    supervisor: "Supervisor",
    listening: "Listening",
    ready: Ready,
) -> None:
    from keyturn.operations.envelopes import tell_custody
    from keyturn.server.serving import serve
    from keyturn.site.components import ComponentName

    _prepare_process()
    parts, _ = assembled(files, settings, ask, wake)
    tell_custody(parts, by=files.settings.name)
    rests = lambda: supervisor.rests(ComponentName.CLIENT_CONFIG_MANAGER)  # noqa: E731
    serve(parts, listening, engine, lambda url: ready(f"site up at {url}"), rests)


def _own_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


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
    return JobEngine(address, store_logins(files, address))


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
