"""The settings file of a site, `keyturn.toml`: written at init, edited by people, read at every start."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from keyturn.escrow.custody import Custodian, Custody
from keyturn.lifecycle.sequences import Patience
from keyturn.model.errors import Refused
from keyturn.model.software import LogSettings
from keyturn.operations.parts import LEASE_S, PACKAGE_SOURCES, Settings
from keyturn.operations.status_messages import Retention

_DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """`names` are the host names and addresses by which agents and people may call the server."""

    operating: Settings
    host: str
    port: int
    names: tuple[str, ...]
    custody: Custody
    store: str | None = None
    """The address of a store that is no file of the directory."""
    inboxes: Path | None = None
    """The folder of the site's inboxes that a file server shares with the senders of other sites."""
    seal_salt: bytes | None = None
    """With one, the seal key is made from a passphrase that is asked for at every start, and stands in no file."""
    content_folder: str | None = None
    """Where the site's copies of packages' files are, if not in its directory."""
    content_nginx_prefix: str = ""
    """The location under which an nginx in front serves that folder; empty: there is none."""

    @property
    def authorities(self) -> frozenset[str]:
        return frozenset(f"{name}:{self.port}" for name in self.names)


def read_settings(text: str) -> SiteSettings:
    """Raises Refused naming the key that is wrong."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"keyturn.toml: {error}") from None
    taken = _Taking(found)
    patience = _Taking(taken.take("patience", dict, {}), "patience.")
    custody = _Taking(taken.take("custody", dict, None), "custody.")
    messages = _Taking(taken.take("status_messages", dict, {}), "status_messages.")
    content = _Taking(taken.take("content", dict, {}), "content.")
    logs = _Taking(taken.take("client_logs", dict, {}), "client_logs.")
    settings = SiteSettings(
        operating=Settings(
            site=taken.take("site", str, None),
            two_person_approval=taken.take("two_person_approval", bool, False),
            patience=Patience(
                float(patience.take("uptake_s", (int, float), Patience().uptake_s)),
                float(patience.take("quiet_s", (int, float), Patience().quiet_s)),
            ),
            contact_s=float(taken.take("contact_s", (int, float), 3600)),
            lease_s=float(taken.take("lease_s", (int, float), LEASE_S)),
            status_messages=Retention(
                messages.take("count", int, Retention().count),
                float(messages.take("age_s", (int, float), Retention().age_s)),
            ),
            policy_s=float(taken.number("policy_s", 7 * _DAY_S, 600, 366 * _DAY_S)),
            client_logs=LogSettings(
                logs.number("level", LogSettings().level, 0, 3),
                logs.number("max_bytes", LogSettings().max_bytes, 10_000, 2**30),
                logs.number("history", LogSettings().history, 0, 100),
            ),
            package_sources=tuple(map(str, taken.take("package_sources", list, list(PACKAGE_SOURCES)))),
        ),
        host=taken.take("host", str, "127.0.0.1"),
        port=taken.take("port", int, None),
        names=tuple(taken.take("names", list, ["127.0.0.1", "localhost"])),
        custody=_custody(custody),
        store=taken.take("store", str, "") or None,
        inboxes=Path(inboxes) if (inboxes := taken.take("inboxes", str, "")) else None,
        seal_salt=_salt(taken.take("seal_salt", str, "")),
        content_folder=content.take("folder", str, "") or None,
        content_nginx_prefix=content.take("nginx_prefix", str, ""),
    )
    for part in (taken, patience, custody, messages, logs, content):
        part.refuse_rest()
    return settings


def write_settings(settings: SiteSettings) -> str:
    document = tomlkit.document()
    document.add(tomlkit.comment("A Keyturn site. Restart `keyturn up` after a change."))
    document["site"] = settings.operating.site
    document["host"] = settings.host
    document["port"] = settings.port
    document["names"] = list(settings.names)
    document["contact_s"] = settings.operating.contact_s
    document["two_person_approval"] = settings.operating.two_person_approval
    if settings.seal_salt:
        document["seal_salt"] = settings.seal_salt.hex()
    document["patience"] = {
        "uptake_s": settings.operating.patience.uptake_s,
        "quiet_s": settings.operating.patience.quiet_s,
    }
    document["custody"] = {
        "needed": settings.custody.needed,
        "custodians": {c.name: c.recipient for c in settings.custody.custodians},
    }
    return tomlkit.dumps(document)


def with_store(text: str, address: str) -> str:
    """The settings file with another store; everything else in it stays as people wrote it."""
    document = tomlkit.parse(text)
    document["store"] = address
    return tomlkit.dumps(document)


def _salt(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        raise Refused("keyturn.toml: seal_salt is not hexadecimal") from None


def _custody(taken: "_Taking") -> Custody:
    custodians = taken.take("custodians", dict, None)
    try:
        return Custody(
            tuple(Custodian(str(name), str(recipient)) for name, recipient in custodians.items()),
            taken.take("needed", int, 1),
        )
    except ValueError as error:
        raise Refused(f"keyturn.toml: custody: {error}") from None


class _Taking:
    """Takes keys out of a table, so that what is left over is known."""

    def __init__(self, table: dict[str, Any], path: str = "") -> None:
        self._left = dict(table)
        self._path = path

    def take(self, key: str, kind: type | tuple[type, ...], default: Any) -> Any:
        if key not in self._left:
            if default is None:
                raise Refused(f"keyturn.toml: {self._path}{key} is missing")
            return default
        value = self._left.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise Refused(f"keyturn.toml: {self._path}{key} has the wrong type")
        return value

    def number(self, key: str, default: int, least: int, most: int) -> int:
        found: int = self.take(key, int, default)
        if not least <= found <= most:
            raise Refused(f"keyturn.toml: {self._path}{key} is not from {least} to {most}")
        return found

    def refuse_rest(self) -> None:
        if self._left:
            raise Refused(f"keyturn.toml: unknown key {self._path}{next(iter(self._left))}")
