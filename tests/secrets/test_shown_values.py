"""Every class of the package that holds a secret, shown in every way in which a program shows a value."""

import dataclasses
import importlib
import json
import logging
import pickle
import pkgutil
import pprint
import re
import reprlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pydantic
import pytest
from rich.pretty import pretty_repr

import keyturn
from keyturn.model.secret import Secret
from tests.secrets.canary import Canaries

SECRET_WORDS = frozenset(
    (
        *("password", "passphrase", "secret", "token", "key", "identity", "credentials"),
        *("age", "ed25519", "headers", "body", "content"),
    )
)
"""A text with one of these words in its name is taken for a secret, and so is whatever is a Secret by type."""

NO_SECRETS = {
    "Enrol.verify_key": "an agent's public key",
    "EnrolledClient.verify_key": "an agent's public key",
    "Naming.key": "an account's name as the realm compares it",
    "Known.key": "an account's row",
    "Ssh.by_password": "the name of a method",
    "Ssh.identity_file": "where a key is kept",
    "AccessFile.content": "the credentials in it are sealed to each client's own key",
    "FileConsumer.content": "a form, with {password} where the password goes",
    "_Written.min_age": "the name of an attribute",
    "_Written.max_age": "the name of an attribute",
    "Site.verify_key": "a site's public key",
    "Join.verify_key": "a site's public key",
    "Accessed.identity": "an account's name",
    "Asks.identity": "an account's name",
    "Access.identity": "an account's name",
    "AccessLine.identity": "an account's name",
    "AccessShape.identity": "an account's name",
    "SiteSettings.content_folder": "where packages are kept",
    "SiteSettings.content_nginx_prefix": "a path of a server",
    "Kept.verify_key": "a site's public key",
    "PolicyKey.verify_key": "a site's public key",
    "SignedPolicy.body": "a policy, in which no password stands",
    "Said.key": "which advertisement, program and user",
    "Standing.key": "which advertisement, program and user",
    "Remembered.token_missing": "why there is no token account",
    "ClientState.token_missing": "why there is no token account",
    "Reply.headers": "of an answer; whoever logs on does so in the headers of a request",
}


OF_EXTRAS = ("ldap", "smbprotocol")
"""Cannot be built everywhere; then what needs them is not shown either."""


def classes() -> Iterator[type]:
    """Every dataclass and every msgspec Struct of the package, private ones included."""
    found = set()
    for module in pkgutil.walk_packages(keyturn.__path__, "keyturn."):
        if module.name.endswith(("__main__", ".env")):
            continue  # these two act when imported
        try:
            found_there = importlib.import_module(module.name)
        except ModuleNotFoundError as missing:
            if missing.name not in OF_EXTRAS:
                raise
            continue
        for kind in vars(found_there).values():
            if isinstance(kind, type) and kind.__module__ == module.name and kind not in found and fields(kind):
                found.add(kind)
                yield kind


def fields(kind: type) -> dict[str, Any]:
    """Names and types as they are written in the source."""
    if dataclasses.is_dataclass(kind):
        return {field.name: field.type for field in dataclasses.fields(kind)}
    if issubclass(kind, msgspec.Struct):
        return {field.name: field.type for field in msgspec.structs.fields(kind)}
    return {}


def named(kind: type) -> str:
    return f"{kind.__module__.removeprefix('keyturn.')}.{kind.__qualname__}"


def secrets_of(kind: type) -> dict[str, Any]:
    """Those of its fields that are secrets."""
    return {name: wanted for name, wanted in fields(kind).items() if _is_secret(f"{kind.__name__}.{name}", wanted)}


def _is_secret(field: str, wanted: Any) -> bool:
    kinds = set(re.findall(r"\w+", str(wanted)))
    if "Callable" in kinds or field in NO_SECRETS:
        return False
    named = SECRET_WORDS & set(field.partition(".")[2].split("_"))
    return "Secret" in kinds or bool(named and kinds & {"str", "bytes"})


HOLDERS = sorted(filter(secrets_of, classes()), key=str)


def filled(kind: Any, secret: Callable[[Any], object]) -> Any:
    """An instance that breaks every rule about its other fields: they are None."""
    values = dict.fromkeys(fields(kind)) | {name: secret(wanted) for name, wanted in secrets_of(kind).items()}
    if issubclass(kind, msgspec.Struct):
        return kind(**values)
    made = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def as_declared(text: str) -> Callable[[Any], object]:
    """The secret as the field has it: a Secret, bytes, or what should have been one and is a text."""

    def value(wanted: Any) -> object:
        if "Secret" in str(wanted):
            return Secret(text)
        return text.encode() if "bytes" in str(wanted) else text

    return value


SHOWN: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "format": "{}".format,
    "%r": lambda value: "%r" % (value,),  # noqa: UP031
    "in a list": lambda value: str([value]),
    "as an exception's argument": lambda value: repr(ValueError(value)),
    "in a log": lambda value: logging.LogRecord("x", 10, "x", 1, "got %s", (value,), None).getMessage(),
    "pprint": pprint.pformat,
    "reprlib": reprlib.repr,
    "rich": pretty_repr,
}


WRITTEN: dict[str, Callable[[Any], object]] = {
    "pickle": pickle.dumps,
    "the oldest pickle": lambda value: pickle.dumps(value, protocol=0),
    "json": lambda value: json.dumps(as_dictionary(value)),
    "msgspec's json": msgspec.json.encode,
    "msgspec's msgpack": msgspec.msgpack.encode,
    "pydantic": lambda value: pydantic.TypeAdapter(type(value)).dump_json(value),
}


def as_dictionary(value: Any) -> dict[str, object]:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else msgspec.structs.asdict(value)  # type: ignore[arg-type]


IN_A_SECRET = [kind for kind in HOLDERS if any("Secret" in str(wanted) for wanted in secrets_of(kind).values())]


def test_the_walk_finds_the_classes_that_are_known_to_hold_secrets() -> None:
    found = {kind.__qualname__ for kind in HOLDERS}
    assert {"Handed", "Door", "Content", "Keys", "Presented", "Enrol", "Client", "Adoption", "NewPassword"} <= found


@pytest.mark.parametrize("kind", HOLDERS, ids=named)
def test_no_value_shows_the_secret_it_holds(canaries: Canaries, kind: type) -> None:
    value = filled(kind, as_declared(canaries.plant(kind.__name__)))
    canaries.nothing_leaked([], {way: show(value) for way, show in SHOWN.items()})


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN.keys())
@pytest.mark.parametrize("kind", IN_A_SECRET, ids=named)
def test_what_holds_a_secret_as_one_cannot_be_written_down(kind: type, write: Callable[[Any], object]) -> None:
    value = filled(kind, as_declared("Maple7Rain-42x"))
    with pytest.raises((TypeError, pydantic.errors.PydanticUserError)):
        write(value)
