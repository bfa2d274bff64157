"""How another machine is reached by OpenSSH's own client, so that its administrators' habits hold: `ssh_config`, jump
hosts, hardware keys. Here are the words it is called with and what its end means; whoever needs it runs it.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keyturn.model.errors import Refused

LOST = 255
"""ssh(1): its own exit status when it is not that of the program there. Also where a signal ended the program."""

_NO_PROGRAM = 127
"""POSIX, env(1): what was to be run is not there."""

DENIED = "Permission denied ("
"""What ssh says, with the methods that the other side offers, when none of them let it in."""

CONNECT_S = 10
_OPTIONS = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "none",
    "VerifyHostKeyDNS": "no",
    "UpdateHostKeys": "no",
    "IdentitiesOnly": "yes",
    "ConnectTimeout": str(CONNECT_S),
    "ConnectionAttempts": "1",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "RequestTTY": "no",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "ClearAllForwardings": "yes",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "LogLevel": "ERROR",
}
"""ssh_config(5). Nothing in anybody's file weakens these: the first value that ssh finds is in force."""

_BY_PASSWORD = {
    "BatchMode": "no",
    "PubkeyAuthentication": "no",
    "GSSAPIAuthentication": "no",
    "HostbasedAuthentication": "no",
    "NumberOfPasswordPrompts": "1",
    "ControlMaster": "no",
    "ControlPath": "none",
}
"""One question, so one attempt on the account; and a connection that somebody else opened is not used."""

_LONGEST = 200
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
_FILE = re.compile(r"/[^\s\"'%$\\]+")
"""Absolute, and with nothing that ssh would expand or take for the end of the name."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing, or an unknown part, was done there."""

    message: str
    permanent: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Ssh:
    """The way to one machine. `sudo`: what is run there is run by `sudo -n`."""

    host: str
    user: str
    identity_file: str
    known_hosts: str
    port: int | None = None
    sudo: bool = False
    by_password: str = ""
    """The method (ssh_config(5), PreferredAuthentications) by which whoever runs ssh answers its one question; then
    `identity_file` is not used. Empty: by the key alone."""

    def words(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """What to run here so that `command` runs there, its words unchanged by the shell between. Both machines show
        them to whoever lists their processes: no secret belongs in them."""
        options = (word for option in self._options().items() for word in ("-o", "=".join(option)))
        return ("ssh", *options, "-l", self.user, "--", self.host, self._there(command, environment or {}))

    def trouble(self, status: int, said: str) -> Trouble | None:
        """What stands between here and the program there. None where that program ended by itself, well or not."""
        if status == 0:
            return None
        if status == LOST:
            return self._lost(said)
        refusal = next((line for line in said.splitlines() if line.startswith(("sudo: ", "Sorry, user "))), "")
        if status == _NO_PROGRAM or refusal.endswith("command not found"):
            return Trouble(f"{self.host} lacks a program: {refusal or _last(said)}", True)
        if refusal:
            return Trouble(f"{self.host}: {refusal}", True, f"sudoers(5) on {self.host} must let {self.user} run it")
        return None

    def _options(self) -> dict[str, str]:
        port = {"Port": str(self.port)} if self.port else {}
        way = {"IdentityFile": self.identity_file}
        if self.by_password:
            way = {"IdentityFile": "none", "PreferredAuthentications": self.by_password, **_BY_PASSWORD}
        return _OPTIONS | {"UserKnownHostsFile": self.known_hosts} | way | port

    def _there(self, command: Sequence[str], environment: Mapping[str, str]) -> str:
        variables = [f"{name}={value}" for name, value in environment.items()]
        before = ["env", *variables] if variables else []
        return shlex.join([*before, *(("sudo", "-n", "--") if self.sudo else ()), *command])

    def _lost(self, said: str) -> Trouble:
        if "Host key verification failed" in said:
            changed = "HOST IDENTIFICATION HAS CHANGED" in said
            what = "shows another host key than" if changed else "shows a host key that is not in"
            return Trouble(
                f"{self.host} {what} {self.known_hosts}; nothing was sent to it",
                True,
                f"compare it on the machine itself (ssh-keygen -lf), then put the right line into {self.known_hosts}",
            )
        if DENIED in said and self.by_password:
            return Trouble(f"{self.host} does not let {self.user} in with its password", True)
        if DENIED in said:
            return Trouble(
                f"{self.host} does not let {self.user} in with {self.identity_file}",
                True,
                f"the public key belongs into the authorized_keys of {self.user} there; only its owner may read the"
                " private one",
            )
        return Trouble(f"{self.host} is not reached: {_last(said) or 'the connection ended'}", False)


def _last(said: str) -> str:
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    return "".join(character for character in last if character.isprintable())[:_LONGEST]


def way(settings: Mapping[str, str], where: str) -> Ssh:
    """From text, as files of settings have it: `host`, `user`, `identity_file`, `known_hosts`, and perhaps `port` and
    `sudo`. Refused by the key that is wrong; `where` begins the message."""
    for key, (form, what) in _FORMS.items():
        if not form.fullmatch(settings.get(key, "")):
            raise Refused(f"{where}: {key} must be {what}")
    port, sudo = settings.get("port"), settings.get("sudo", "no")
    if port is not None and not (port.isdecimal() and 0 < int(port) < 65536):
        raise Refused(f"{where}: port must be a number up to 65535")
    if sudo not in ("yes", "no"):
        raise Refused(f'{where}: sudo must be "yes" or "no"')
    return Ssh(
        host=settings["host"],
        user=settings["user"],
        identity_file=settings["identity_file"],
        known_hosts=settings["known_hosts"],
        port=int(port) if port else None,
        sudo=sudo == "yes",
    )


_FORMS = {
    "host": (_HOST, "the name or the address of a machine"),
    "user": (_USER, "the name of a user there"),
    "identity_file": (_FILE, "the absolute path of a private key, without spaces"),
    "known_hosts": (_FILE, "the absolute path of a file in the form of known_hosts, without spaces"),
}
