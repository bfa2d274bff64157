"""A file that holds a password: replaced whole, its owner and mode kept, put back when its user cannot work with it."""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from keyturn.agent.consumers.commands import Ran, run
from keyturn.agent.consumers.settings import FileConsumer
from keyturn.model.secret import Secret

KeepPrevious = Callable[[Path, Secret], None]
"""Keeps what a file held before, sealed. Durable when it returns."""

LONGEST = 32 * 1024
"""Bytes of a file that holds a password."""


def adopt(consumer: FileConsumer, account: str, secret: Secret, keep_previous: KeepPrevious) -> Ran:
    """Safe to repeat: a file that holds the password already is left as it is, and its user is only checked."""
    wanted = _content(consumer, account, secret)
    try:
        before = _read(consumer.path)
        if before == wanted:
            checked = _check(consumer, secret)
            return checked if checked.ok else _again(consumer, secret)
        if before is not None:
            keep_previous(consumer.path, before)
        _replace(consumer, wanted)
    except OSError as error:
        return Ran(False, f"{consumer.path}: {error.strerror}")
    except KeyError:
        return Ran(False, f"{consumer.path}: there is no user {consumer.owner} or no group {consumer.group}")
    ran = _again(consumer, secret)
    if not ran.ok and before is not None:
        _put_back(consumer, before, secret)
    return ran


def put_back(path: Path, content: Secret) -> None:
    """By hand: the file as it was before its last change, with the owner and mode it has now."""
    _replace(FileConsumer("", path), content)


def _read(path: Path) -> Secret | None:
    """None where there is no file. One character a byte, whatever its encoding."""
    if not path.exists():
        return None
    if path.stat().st_size > LONGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return Secret(path.read_bytes().decode("latin-1"))


def _content(consumer: FileConsumer, account: str, secret: Secret) -> Secret:
    """Replaced one by one, and the password last: what it contains is no field."""
    text = consumer.content.replace("{account}", account).replace("{name}", account.partition("\\")[2])
    return Secret(text.replace("{password}", secret.reveal()).encode().decode("latin-1"))


def _again(consumer: FileConsumer, secret: Secret) -> Ran:
    if consumer.restart:
        ran = run(consumer.restart, timeout_s=consumer.timeout_s, hide=secret)
        if not ran.ok:
            return ran
    return _check(consumer, secret)


def _check(consumer: FileConsumer, secret: Secret) -> Ran:
    return run(consumer.check, timeout_s=consumer.timeout_s, hide=secret) if consumer.check else Ran(True)


def _put_back(consumer: FileConsumer, before: Secret, secret: Secret) -> None:
    """The user of the file goes on with the password it had, which is good until everybody has the new one."""
    with suppress(OSError):
        _replace(consumer, before)
        if consumer.restart:
            run(consumer.restart, timeout_s=consumer.timeout_s, hide=secret)


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
