"""Who the custodians are now: the settings file is looked at whenever something is sealed."""

import logging
import threading
from pathlib import Path

from keyturn.adapters.site_files.settings import read_settings
from keyturn.escrow.custody import Custody
from keyturn.model.errors import Refused

log = logging.getLogger(__name__)


class Custodians:
    """While the file cannot be read, as in the middle of being edited, those it named last go on."""

    def __init__(self, settings: Path, custody: Custody) -> None:
        self._settings = settings
        self._custody = custody
        self._as_of = _state(settings)
        self._turn = threading.Lock()

    def __call__(self) -> Custody:
        with self._turn:
            state = _state(self._settings)
            if state != self._as_of:
                self._read()
                self._as_of = state
            return self._custody

    def _read(self) -> None:
        try:
            self._custody = read_settings(self._settings.read_text()).custody
        except (Refused, OSError, UnicodeDecodeError) as error:
            log.warning("the custodians stay as they were: %s", error)


def _state(file: Path) -> tuple[int, int, int] | None:
    """Another one whenever an editor has saved the file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
