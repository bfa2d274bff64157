"""Five sites as processes of their own, on ports of this machine: one above two above one each."""

import base64
import hashlib
import os
import signal
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keyturn.cli.api import Api
from keyturn.cli.demo.stage import free_port, keyturn, until
from keyturn.model.errors import KeyturnError
from keyturn.wiring import _door
from tests.hierarchy import account, child, estate

COMMAND = (sys.executable, "-m", "keyturn")
PARENTS = {"EUR": "CEN", "USA": "CEN", "LON": "EUR", "PHX": "USA"}
REALMS = {"CEN": "CORP", "EUR": "EURO", "USA": "AMER", "LON": "HERE", "PHX": "HERE"}
CODES = tuple(REALMS)

ESTATES = {
    "CEN": estate(
        "CEN",
        realm="CORP",
        kind="central",
        sites=child("EUR", parent="CEN", realm="CORP")
        + child("USA", parent="CEN", realm="CORP")
        + child("LON", parent="EUR", realm="CORP", kind="secondary")
        + child("PHX", parent="USA", realm="CORP", kind="secondary"),
        accounts=account("KtToCen", "site-address", realm="CORP", sites=("EUR", "USA"))
        + account("KtService", "service", realm="CORP", sites=("EUR", "USA", "LON", "PHX")),
    ),
    "EUR": estate("EUR", realm="EURO", sites=child("LON", parent="EUR", realm="EURO", kind="secondary")),
    "USA": estate("USA", realm="AMER", sites=child("PHX", parent="USA", realm="AMER", kind="secondary")),
}


@dataclass
class Sites:
    root: Path
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)
    posted: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    """By sender and destination, in the order of posting."""

    def api(self, code: str) -> Api:
        return Api(_door(self.root / code))

    def found(self) -> None:
        for code in CODES:
            options = ["--site", code, "--realm", REALMS[code], "--port", str(free_port()), "--quiet", "1"]
            keyturn("init", str(self.root / code), *options, "--no-default-account")
            self.start(code)
        for code, text in ESTATES.items():
            file = self.root / f"{code}.toml"
            file.write_text(text)
            self.keyturn(code, "estate", "import", str(file))

    def join_all(self) -> None:
        for code, parent in PARENTS.items():
            token = self.root / f"{code}.token"
            self.keyturn(parent, "site", "invite", code, "--token-file", str(token))
            fingerprint = _fingerprint(self.root / parent / "site-ca.pem")
            options = [_door(self.root / parent).url, "--ca-fingerprint", fingerprint, "--token-stdin"]
            self.keyturn(code, "site", "join", *options, stdin=token.read_text())
        until("every site knows every other", self.all_known, 60)

    def all_known(self) -> bool:
        return all(len(self.api(code).get("/hierarchy/addresses")) == len(CODES) - 1 for code in CODES)

    def start(self, code: str) -> None:
        log = self.root / f"{code}.log"
        with log.open("ab") as out:
            self.processes[code] = subprocess.Popen(
                [*COMMAND, "up", str(self.root / code)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        until(f"site {code} answers", lambda: self._answers(code), 60)

    def kill(self, code: str) -> None:
        os.killpg(self.processes[code].pid, signal.SIGKILL)
        self.processes[code].wait()

    def signal(self, code: str, number: signal.Signals) -> None:
        os.killpg(self.processes[code].pid, number)

    def post(self, start: str, end: str, payload: bytes, kind: str = "package") -> None:
        body = {"destination": end, "kind": kind, "payload": base64.b64encode(payload).decode()}
        self.api(start).post("/hierarchy/bundles", body)
        self.posted.setdefault((start, end), []).append(payload)

    def arrived(self, code: str) -> dict[tuple[str, str], list[bytes]]:
        """What lies at a site, by sender, in the order of its numbers. It stays there."""
        found: dict[tuple[str, str], list[bytes]] = {}
        for bundle in self.api(code).get("/hierarchy/received"):
            wanted = {key: bundle[key] for key in ("source", "kind", "sequence")}
            answer = self.api(code).post("/hierarchy/collect", {**wanted, "keep": True})
            payload = base64.b64decode(answer["payload"])
            found.setdefault((bundle["source"], code), []).append(payload)
        return found

    def queued(self) -> int:
        return sum(link["queued"] for code in CODES for link in self.api(code).get("/hierarchy/links"))

    def all_arrived(self) -> bool:
        here = sum(len(self.api(code).get("/hierarchy/received")) for code in CODES)
        return here >= sum(map(len, self.posted.values())) and self.queued() == 0

    def keyturn(self, code: str, *arguments: str, stdin: str = "") -> str:
        return keyturn("--dir", str(self.root / code), *arguments, stdin=stdin)

    def logons(self) -> list[dict[str, Any]]:
        return [one for code in CODES for one in self.api(code).get(f"/realms/{REALMS[code]}/logons", since=0)]

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _answers(self, code: str) -> bool:
        assert self.processes[code].poll() is None, (self.root / f"{code}.log").read_text()[-2000:]
        try:
            self.api(code).get("/hierarchy/links")
        except KeyturnError:
            return False
        return True


def _fingerprint(authority: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority.read_text())).hexdigest()
