"""What Windows says by number, in words and with a way out: one table for SVCCTL, the task scheduler and SMB.

Win32 codes (MS-ERREF 2.2); an HRESULT of facility 7 carries one (MS-ERREF 2.1), and faults of the call itself have
their own (C706, appendix E). What stands in no table is told by its number.
"""

from collections.abc import Mapping

from keyturn.wire.windows import MachineError

_RIGHT_OF_SERVICES = "grant the account 'Log on as a service' there (secpol.msc, or group policy)"
_SEE_TO_THE_ACCOUNT = "keyturn account show, and the realm's own record of the account"

WIN32: Mapping[int, tuple[str, str]] = {
    2: ("there is no such task", "schtasks /query on that machine shows their paths"),  # ERROR_FILE_NOT_FOUND
    3: (
        "there is no such folder of tasks",
        "schtasks /query on that machine shows their paths",
    ),  # ERROR_PATH_NOT_FOUND
    5: (  # ERROR_ACCESS_DENIED
        "the managing account may not do this",
        "it must be an administrator of that machine, or be given the right on the service (sc sdset)",
    ),
    1051: ("other services that run need it", "stop them first"),  # ERROR_DEPENDENT_SERVICES_RUNNING
    1052: ("it cannot be stopped now", ""),  # ERROR_INVALID_SERVICE_CONTROL
    1053: ("it did not answer in time when it was started", "see its own log"),  # ERROR_SERVICE_REQUEST_TIMEOUT
    1056: ("it runs already", ""),  # ERROR_SERVICE_ALREADY_RUNNING
    1057: ("the machine does not know the account, or the services in its process run as another", ""),
    # ERROR_INVALID_SERVICE_ACCOUNT
    1058: ("it is disabled", ""),  # ERROR_SERVICE_DISABLED
    1060: (
        "there is no such service",
        "its name is not its display name: sc getkeyname",
    ),  # ERROR_SERVICE_DOES_NOT_EXIST
    1061: ("it takes no orders now", ""),  # ERROR_SERVICE_CANNOT_ACCEPT_CTRL
    1067: ("its process ended by itself", "see its own log"),  # ERROR_PROCESS_ABORTED
    1068: ("a service that it needs did not start", ""),  # ERROR_SERVICE_DEPENDENCY_FAIL
    1069: (  # ERROR_SERVICE_LOGON_FAILED, whatever the reason
        "its account could not log on",
        f"{_RIGHT_OF_SERVICES}; the event log there (System, 7038 or 7041) says which",
    ),
    1072: ("it is marked for deletion", ""),  # ERROR_SERVICE_MARKED_FOR_DELETE
    1326: ("the account could not log on: wrong name or password", _SEE_TO_THE_ACCOUNT),  # ERROR_LOGON_FAILURE
    1327: ("a restriction of the account kept it from logging on", _SEE_TO_THE_ACCOUNT),  # ERROR_ACCOUNT_RESTRICTION
    1328: ("the account may not log on at this hour", _SEE_TO_THE_ACCOUNT),  # ERROR_INVALID_LOGON_HOURS
    1329: ("the account may not log on from that machine", _SEE_TO_THE_ACCOUNT),  # ERROR_INVALID_WORKSTATION
    1330: ("the password of the account has expired", _SEE_TO_THE_ACCOUNT),  # ERROR_PASSWORD_EXPIRED
    1331: ("the account is disabled", _SEE_TO_THE_ACCOUNT),  # ERROR_ACCOUNT_DISABLED
    1332: ("the machine does not know the account", "is it in the machine's domain, or in one that is trusted?"),
    # ERROR_NONE_MAPPED
    1385: (  # ERROR_LOGON_TYPE_NOT_GRANTED
        "the account has no right to this kind of logon there",
        f"for a task 'Log on as a batch job'; for a service {_RIGHT_OF_SERVICES}",
    ),
    1722: (
        "its RPC server cannot be reached",
        "is the service (RpcSs, Schedule) running there?",
    ),  # RPC_S_SERVER_UNAVAILABLE
    1745: ("it does not offer this call", "it may be no Windows"),  # RPC_S_PROCNUM_OUT_OF_RANGE
    1783: ("it does not take this call as Windows documents it", "it may be no Windows"),  # RPC_X_BAD_STUB_DATA
    1793: ("the account has expired", _SEE_TO_THE_ACCOUNT),  # ERROR_ACCOUNT_EXPIRED
    1907: ("the password of the account must be changed first", _SEE_TO_THE_ACCOUNT),  # ERROR_PASSWORD_MUST_CHANGE
    1909: ("the account is locked", _SEE_TO_THE_ACCOUNT),  # ERROR_ACCOUNT_LOCKED_OUT
}

_FAULTS: Mapping[str, int] = {
    "nca_s_op_rng_error": 1745,
    "rpc_s_access_denied": 5,
    "rpc_s_procnum_out_of_range": 1745,
    "rpc_s_server_unavailable": 1722,
    "rpc_x_bad_stub_data": 1783,
}
"""The library has names for them, and no number."""

_STATUS: Mapping[int, tuple[str, str]] = {
    0xC0000022: WIN32[5],  # STATUS_ACCESS_DENIED
    0xC0000034: ("it offers no such service of its own", "it may be no Windows"),  # STATUS_OBJECT_NAME_NOT_FOUND
    0xC00000AC: ("it is busy", ""),  # STATUS_PIPE_NOT_AVAILABLE
    0xC00000CC: ("it has no share IPC$", ""),  # STATUS_BAD_NETWORK_NAME
}
"""NTSTATUS (MS-ERREF 2.3.1), of pipes."""


def win32_error(what: str, code: int) -> MachineError:
    number = code & 0xFFFF if code >> 16 == 0x8007 else code
    message, hint = WIN32.get(number, ("", ""))
    shown = f"code {number}" if number < 0x10000 else f"code {number:#010x}"
    return MachineError(_line(what, message, shown), hint, code=number)


def status_error(what: str, status: int) -> MachineError:
    message, hint = _STATUS.get(status, ("", ""))
    return MachineError(_line(what, message, f"status {status:#010x}"), hint)


def fault_error(what: str, fault: str) -> MachineError:
    """`fault` as the library names it."""
    if fault in _FAULTS:
        return win32_error(what, _FAULTS[fault])
    return MachineError(_line(what, "", f"fault {fault[:80]}"))


def _line(what: str, message: str, number: str) -> str:
    return f"{what}: {message} ({number})" if message else f"{what}: {number}"
