"""A file that holds a password: replaced whole, its owner and mode kept, put back when its user cannot work with it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from keyturn.agent.consumers import here, there
from keyturn.agent.consumers.commands import Ran, run
from keyturn.agent.consumers.settings import FileConsumer
from keyturn.model.errors import Unavailable
from keyturn.model.secret import Secret

KeepPrevious = Callable[[Path, Secret], None]
"""Keeps what a file held before, sealed, under its title. Durable when it returns."""


def adopt(consumer: FileConsumer, account: str, secret: Secret, keep_previous: KeepPrevious) -> Ran:
    """Safe to repeat: a file that holds the password already is left as it is. Whether its user has been told since is
    not known, so it is told again unless the administrator's own check shows that it works."""
    wanted = _content(consumer, account, secret)
    try:
        before = _read(consumer)
        if before == wanted:
            proven = consumer.check_proves and _check(consumer, secret).ok
            return Ran(True) if proven else _again(consumer, secret)
        if before is not None:
            keep_previous(Path(consumer.title), before)
        _replace(consumer, wanted)
    except Unavailable as error:
        return Ran(False, error.message)
    ran = _again(consumer, secret)
    if not ran.ok and before is not None:
        _put_back(consumer, before, secret)
    return ran


def put_back(consumer: FileConsumer, content: Secret) -> None:
    """By hand: the file as it was before its last change, with the owner and mode it has now."""
    _replace(FileConsumer("", consumer.path, on=consumer.on), content)


def _read(consumer: FileConsumer) -> Secret | None:
    return there.read(consumer) if consumer.on else here.read(consumer)


def _replace(consumer: FileConsumer, content: Secret) -> None:
    if consumer.on:
        there.replace(consumer, content)
    else:
        here.replace(consumer, content)


def _content(consumer: FileConsumer, account: str, secret: Secret) -> Secret:
    """Replaced one by one, and the password last: what it contains is no field."""
    text = consumer.content.replace("{account}", account).replace("{name}", account.partition("\\")[2])
    return Secret(text.replace("{password}", secret.reveal()).encode().decode("latin-1"))


def _again(consumer: FileConsumer, secret: Secret) -> Ran:
    if consumer.restart:
        ran = run(consumer.restart, timeout_s=consumer.timeout_s, hide=secret, on=consumer.on)
        if not ran.ok:
            return ran
    return _check(consumer, secret)


def _check(consumer: FileConsumer, secret: Secret) -> Ran:
    if not consumer.check:
        return Ran(True)
    return run(consumer.check, timeout_s=consumer.timeout_s, hide=secret, on=consumer.on)


def _put_back(consumer: FileConsumer, before: Secret, secret: Secret) -> None:
    """The user of the file goes on with the password it had, which is good until everybody has the new one."""
    with suppress(Unavailable):
        _replace(consumer, before)
        if consumer.restart:
            run(consumer.restart, timeout_s=consumer.timeout_s, hide=secret, on=consumer.on)
