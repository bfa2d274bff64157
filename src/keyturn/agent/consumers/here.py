"""A file of this machine: read, and replaced whole."""

import errno
import grp
import os
import pwd
import stat
from pathlib import Path

from keyturn.agent.consumers.settings import LONGEST, FileConsumer
from keyturn.model.errors import Unavailable
from keyturn.model.secret import Secret


def read(consumer: FileConsumer) -> Secret | None:
    """None where there is no file. One character a byte, whatever its encoding."""
    try:
        return _read(consumer.path)
    except OSError as error:
        raise Unavailable(f"{consumer.title}: {error.strerror}") from None


def replace(consumer: FileConsumer, content: Secret) -> None:
    try:
        _replace(consumer, content)
    except OSError as error:
        raise Unavailable(f"{consumer.title}: {error.strerror}") from None
    except KeyError:
        raise Unavailable(f"{consumer.title}: there is no user {consumer.owner} or no group {consumer.group}") from None


def _read(path: Path) -> Secret | None:
    if not path.exists():
        return None
    if path.stat().st_size > LONGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return Secret(path.read_bytes().decode("latin-1"))


def _replace(consumer: FileConsumer, content: Secret) -> None:
    path = consumer.path
    found = path.stat() if path.exists() else None
    mode = consumer.mode if consumer.mode is not None else stat.S_IMODE(found.st_mode) if found else 0o600
    owner = pwd.getpwnam(consumer.owner).pw_uid if consumer.owner else found.st_uid if found else -1
    group = grp.getgrnam(consumer.group).gr_gid if consumer.group else found.st_gid if found else -1
    beside = path.with_name(f".{path.name}.keyturn")
    beside.unlink(missing_ok=True)
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(opened, "wb") as file:
            os.fchown(file.fileno(), owner, group)
            os.fchmod(file.fileno(), mode)
            file.write(content.reveal().encode("latin-1"))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
