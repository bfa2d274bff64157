"""The token account of domain controllers: one ordinary account of the domain, which all of them share (Table 12.2).

The agent on the controller that is the PDC emulator makes it, and no other: two controllers that made it at the same
time would leave two accounts of one name when they hear of each other. Nobody keeps its password. A description tells
that it is ours, as the comment of the token account of other machines does.
"""

import pwd
import re
from enum import Enum, auto

from keyturn.adapters.runners.posix import name_service
from keyturn.adapters.runners.posix.accounts import alone, legal_name
from keyturn.model.errors import KeyturnError, NotFound, Refused

NAME, GROUP = "SMSCliToknAcct&", "SMSInternalCliGrp"
_OURS = "Keyturn, "
_DESCRIPTION = f"{_OURS}the token account of domain controllers"


class _State(Enum):
    ABSENT = auto()
    UNFINISHED = auto()
    WHOLE = auto()
    SOMEBODY_ELSES = auto()


def ensure() -> pwd.struct_passwd:
    """Makes it where that is this controller's to do. Refused, with the way out, as long as it cannot be used here.
    Takes about a second: the directory is read each time, for it is others who may change it."""
    _refuse_local()
    if not name_service.realm_services():
        raise Refused(
            "programs of this domain controller find no accounts of its domain",
            hint="install libnss-winbind and put winbind after files in the lines passwd and group of "
            "/etc/nsswitch.conf",
        )
    with alone():
        _make_whole()
    return known()


def missing() -> str:
    """Why it cannot be used here, after it was made where that is this controller's to do; empty where it can."""
    try:
        ensure()
    except KeyturnError as error:
        return f"{error.message}; {error.hint}"
    return ""


def known() -> pwd.struct_passwd:
    """As the name service has it."""
    found = name_service.in_own_realm(NAME)
    if found is None:
        raise NotFound(
            f"the name service of this machine does not know {NAME} of the domain",
            hint=f"does winbind answer? wbinfo --user-info '{NAME}'",
        )
    return found


def _refuse_local() -> None:
    """The name service asks this machine's own files first, and would find somebody else."""
    for name in dict.fromkeys((NAME, NAME.lower(), legal_name(NAME))):
        if name_service.is_local(name):
            raise Refused(
                f"{name} is an account of this domain controller itself, where only the domain's {NAME} may be",
                hint=f"userdel {name}",
            )


def _make_whole() -> None:
    match _state():
        case _State.WHOLE:
            return
        case _State.SOMEBODY_ELSES:
            raise Refused(
                f"{NAME} exists in the domain, and not by Keyturn's hand",
                hint=f"rename or delete it, or let its description begin with '{_OURS}' where nobody has its password",
            )
        case state:
            _refuse_elsewhere()
            _make(state)


def _state() -> _State:
    """As this controller's own copy of the directory has it."""
    account = _shown("user", NAME, "description", "primaryGroupID")
    if not account:
        return _State.ABSENT
    if not account.get("description", "").startswith(_OURS):
        return _State.SOMEBODY_ELSES
    group = _shown("group", GROUP, "objectSid")
    return _State.WHOLE if group and account["primaryGroupID"] == _number_of(group) else _State.UNFINISHED


def _number_of(group: dict[str, str]) -> str:
    return group["objectSid"].rpartition("-")[2]


def _refuse_elsewhere() -> None:
    shown = _samba("samba-tool", "fsmo", "show")
    owner = re.search(r"^PdcEmulationMasterRole owner: CN=NTDS Settings,CN=([^,]+),", shown, re.MULTILINE)
    here = _samba("testparm", "-s", "--parameter-name=netbios name").strip()
    if owner is None or owner[1].lower() != here.lower():
        where = owner[1] if owner else "the PDC emulator"
        raise Refused(
            f"{NAME} of the domain has not come to this domain controller yet",
            hint=f"the agent on {where}, the PDC emulator, makes it, and replication brings it here; where it has no "
            "agent: docs/how-to/domain-controllers.md",
        )


def _make(state: _State) -> None:
    """Each step is taken again after a crash, until the last one has come through."""
    if not _shown("group", GROUP, "objectSid"):
        _samba("samba-tool", "group", "add", GROUP, "--description=Keyturn, accounts of domain controllers' clients")
    if state is _State.ABSENT:
        _samba("samba-tool", "user", "create", NAME, "--random-password", f"--description={_DESCRIPTION}")
    if NAME not in _samba("samba-tool", "group", "listmembers", GROUP).splitlines():
        _samba("samba-tool", "group", "addmembers", GROUP, NAME)
    _samba("samba-tool", "user", "setprimarygroup", NAME, GROUP)


def _shown(kind: str, name: str, *attributes: str) -> dict[str, str]:
    """Empty where there is none of that name."""
    done = name_service.run("samba-tool", kind, "show", name, f"--attributes={','.join(attributes)}")
    if done.returncode == 0:
        return dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    if f"Unable to find {kind}" in done.stderr:
        return {}
    raise _unanswered("samba-tool", done.stderr)


def _samba(*words: str) -> str:
    done = name_service.run(*words)
    if done.returncode:
        raise _unanswered(words[0], done.stderr)
    return done.stdout


def _unanswered(program: str, said: str) -> Refused:
    last = said.strip().splitlines()[-1:] or ["it said nothing"]
    return Refused(f"this domain controller does not give {NAME}: {program}: {last[0]}", hint="does samba run here?")
