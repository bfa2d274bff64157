"""`despoolr.box/receive` as a folder of the site server, shared with other sites by whatever file server there is."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from keyturn.model.errors import Unavailable
from keyturn.operations.hierarchy_ports import ReceiveFolder
from keyturn.site.bundles import MAX_BUNDLE, BadBundle


class ReceivedFiles(ReceiveFolder):
    """Others write here, so nothing is followed and nothing but plain files is opened."""

    def __init__(self, inboxes: Path) -> None:
        self._receive = inboxes / "despoolr.box" / "receive"
        self._bad = inboxes / "despoolr.box" / "bad"

    def names(self) -> Sequence[str]:
        """A name that begins with a dot is one that is still being written."""
        try:
            with os.scandir(self._receive) as entries:
                return sorted(e.name for e in entries if not e.name.startswith(".") and not e.is_dir())
        except FileNotFoundError:
            self._make()
            return ()
        except OSError as error:
            raise Unavailable(f"{self._receive} cannot be read: {error.strerror}") from None

    def content(self, name: str) -> bytes:
        try:
            opened = os.open(self._receive / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise BadBundle(f"{name} is no file that can be read: {error.strerror}") from None
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadBundle(f"{name} is no plain file")
            content = file.read(MAX_BUNDLE + 1)
        if len(content) > MAX_BUNDLE:
            raise BadBundle(f"{name} is longer than a bundle may be")
        return content

    def remove(self, name: str) -> None:
        (self._receive / name).unlink(missing_ok=True)

    def put_aside(self, name: str) -> None:
        """Over one of the same name, so that a mad sender fills no disk with the same thing."""
        self._bad.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._receive / name).replace(self._bad / name)

    def _make(self) -> None:
        try:
            self._receive.mkdir(parents=True)
        except OSError as error:
            raise Unavailable(f"{self._receive} cannot be made: {error.strerror}") from None
