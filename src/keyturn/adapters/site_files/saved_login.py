"""The login of a person on another machine: one file in their own configuration folder, 0600."""

import json
import os
from pathlib import Path

from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.wire.door import Door


def load() -> Door | None:
    path = _path()
    try:
        found = json.loads(path.read_text())
        return Door(found["url"], found["authority"], Secret(found["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(f"{path} is damaged", hint="keyturn login writes it anew") from None


def save(door: Door) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {"url": door.url, "authority": door.authority_pem, "token": door.token.reveal() if door.token else ""}
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "keyturn" / "login.json"
