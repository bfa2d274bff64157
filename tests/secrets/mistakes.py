"""A password sent to every route of the site in every wrong way: the routes and their bodies are read from the code."""

import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any
from urllib.parse import quote

from fastapi.routing import APIRoute

from keyturn.server.rest.app import NOUNS
from keyturn.wire.agent import ASSURE, CHECK_IN, ENROL, SITE_FILE, accounts_file, proof_path, share_path

SECRET_FIELDS = ("password", "token")

MEANT: Mapping[str, object] = {
    "account": "CORP\\KtInstall",
    "name": "PC-0001",
    "roles": ["viewer"],
    "holders": ["PC-0001"],
    "change": "unlock",
    "replica": "nowhere",
    "cut": False,
    "lockout_threshold": 50,
}
"""What a field without a default is filled with: harmless, and mostly something that exists."""

IN_PATHS = {"name": "KtInstall", "realm": "CORP"}


@dataclass(frozen=True)
class Mistake:
    """`name` says what was sent, without the password in it."""

    name: str
    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


Route = tuple[str, str, type | None]
"""Method, path and the shape of the body; `str` for a body that is a text."""


def mistakes_with(password: str, token: str, chosen: Collection[Route]) -> Iterator[Mistake]:
    """To the chosen routes for people, and to those of agents. `token` is one of somebody who may do everything."""
    yield from of_people(password, token, chosen)
    yield from of_agents(password)


def readings(token: str) -> Iterator[Mistake]:
    """No mistakes: every route that only reads, once."""
    for method, path, shape in routes():
        if method == "GET" and shape is None:
            yield Mistake(f"GET {path}", method, _url(path), None, {"authorization": f"Bearer {token}"})


def of_people(password: str, token: str, chosen: Collection[Route]) -> Iterator[Mistake]:
    bearer = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    for method, path, shape in chosen:
        where = f"{method} {path}"
        url = _url(path)
        for way, body in _bodies(shape, password):
            yield Mistake(f"{where}: {way}", method, url, body, bearer)
        good = json.dumps(_meant(shape, password)).encode() if shape else None
        for way, headers in _strangers(password):
            yield Mistake(f"{where}: {way}", method, url, good, {**bearer, **headers})
        query = "&".join(f"{key}={quote(password)}" for key in ("password", "since", "limit", "open", "generation"))
        yield Mistake(f"{where}: in the query", method, f"{url}?{query}", good, bearer)
        yield Mistake(f"{where}: by another method", "PATCH", url, good, bearer)
    yield Mistake(
        "a route that is none", "POST", "/api/v1/password", json.dumps({"password": password}).encode(), bearer
    )


def routes() -> list[Route]:
    """Every route for people."""
    found: list[Route] = []
    for noun in NOUNS:
        for route in noun.router.routes:
            assert isinstance(route, APIRoute)
            bodies: list[Any] = [parameter.field_info.annotation for parameter in route.dependant.body_params]
            found += [(method, route.path, bodies[0] if bodies else None) for method in sorted(route.methods or ())]
    return found


def secret_routes() -> list[Route]:
    """Those whose body has a secret in it when nothing is wrong."""
    return [route for route in routes() if set(_meant(route[2], "")) & set(SECRET_FIELDS)]


def of_agents(password: str) -> Iterator[Mistake]:
    """Nothing here is signed by anybody known: the password arrives all the same."""
    body = json.dumps({"token": password, "name": "PC-0001", "password": password}).encode()
    proof = proof_path("PC-0001", "CORP\\KtClient")
    for method, path in (("POST", ENROL), ("POST", CHECK_IN), ("POST", ASSURE), ("PUT", proof)):
        yield Mistake(f"{method} {path}: unsigned", method, path, body)
        yield Mistake(f"{method} {path}: broken JSON", method, path, body[:-2])
        yield Mistake(f"{method} {path}: too long", method, path, body * 2000)
        for header in ("signature", "signature-input", "content-digest", "authorization"):
            yield Mistake(f"{method} {path}: in {header}", method, path, body, {header: password})
    for file in (SITE_FILE, accounts_file("PC-0001"), "nosuch"):
        for way, logon in _logons(password):
            yield Mistake(f"GET {file}: {way}", "GET", share_path("/cap", file), headers={"authorization": logon})


def _url(path: str) -> str:
    return "/api/v1" + re.sub(r"{(\w+)}", lambda parameter: IN_PATHS.get(parameter[1], "nosuch"), path)


def _bodies(shape: type | None, password: str) -> Iterator[tuple[str, bytes | None]]:
    if shape is None:
        yield "without a body", None
        return
    if shape is str:
        yield "JSON instead of TOML", json.dumps({"password": password}).encode()
        for way, text in (("an unknown key", f'password = "{password}"'), ("broken TOML", f'password = "{password}')):
            yield way, text.encode()
    meant = _meant(shape, password)
    for way, value in _values(meant, password):
        yield way, json.dumps(value).encode()
    yield "broken JSON", json.dumps({"password": password}).encode()[:-2]
    yield "no JSON", password.encode()
    yield "a form", f"password={quote(password)}".encode()
    yield "UTF-16", json.dumps(meant).encode("utf-16")
    yield "broken UTF-8", b'{"password": "' + password.encode() + b'\xff"}'


def _values(meant: dict[str, object], password: str) -> Iterator[tuple[str, object]]:
    yield "as meant", meant
    yield "a text alone", password
    yield "a list", [password]
    yield "as a key", {**meant, password: password}
    yield "under another key", {**meant, "pasword": password}
    for key in meant:
        yield f"without {key}", {name: value for name, value in meant.items() if name != key}
        if key in SECRET_FIELDS:
            yield f"a list of {key}", {**meant, key: [password]}
            yield f"an object in {key}", {**meant, key: {password: password}}
            yield f"{key} too long", {**meant, key: password * 3000}
            yield f"{key} with half a character", {**meant, key: password + "\ud800"}
            yield f"{key} with a zero", {**meant, key: password + "\0"}
        else:
            yield f"a number for {key}", {**meant, key: 7}
            yield f"an object for {key}", {**meant, key: {}}
            yield f"something unknown for {key}", {**meant, key: "nosuch"}


def _meant(shape: type | None, password: str) -> dict[str, object]:
    if shape is None or shape is str:
        return {}
    found: dict[str, object] = {}
    for each in fields(shape):
        if each.name in SECRET_FIELDS:
            found[each.name] = password
        elif each.name in MEANT or _required(each):
            found[each.name] = MEANT.get(each.name, "nosuch")
    return found


def _required(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _strangers(password: str) -> Iterator[tuple[str, dict[str, str]]]:
    yield "with no token", {"authorization": ""}
    yield "with the password as token", {"authorization": f"Bearer {password}"}
    yield "with the password in Basic", {"authorization": dict(_logons(password))["as it should be"]}
    yield "with the password in a cookie", {"cookie": f"password={password}"}
    yield "with the password as kind of content", {"content-type": password}


def _logons(password: str) -> Iterator[tuple[str, str]]:
    """HTTP Basic, right and wrong: among the wrong ones a password typed where the account's name belongs."""
    pairs = {
        "as it should be": f"CORP\\KtInstall:{password}",
        "of nobody": f"CORP\\nobody:{password}",
        "of no realm": f"NOSUCH\\KtInstall:{password}",
        "as the account": f"CORP\\{password}:x",
        "as the realm": f"{password}\\KtInstall:x",
        "alone": password,
        "much too long": f"CORP\\KtInstall:{password * 1000}",
    }
    for way, text in pairs.items():
        yield way, "Basic " + base64.b64encode(text.encode()).decode()
    yield "not in Base64", f"Basic {password}"
    yield "of no kind", password
