"""A fake of what Samba lacks: a Service Control Manager and a Task Scheduler of Windows, behind a pipe in memory, that
decode each call and encode each answer with the structures of impacket. It knows what MS-SCMR and MS-TSCH say, and no
Windows: what a real one does besides, it does not do."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from impacket.crypto import transformKey
from impacket.dcerpc.v5 import scmr, tsch
from impacket.dcerpc.v5.dtypes import NULL
from impacket.dcerpc.v5.rpcrt import (
    MSRPC_BIND,
    MSRPC_BINDACK,
    MSRPC_FAULT,
    MSRPC_RESPONSE,
    PFC_LAST_FRAG,
    MSRPCBindAck,
    MSRPCHeader,
    MSRPCRequestHeader,
    MSRPCRespHeader,
)
from impacket.uuid import uuidtup_to_bin

KEY = bytes(range(16))
"""Of the SMB session."""
NDR = uuidtup_to_bin(("8a885d04-1ceb-11c9-9fe8-08002b104860", "2.0"))
_FRAGMENT = 4280
_OP_RNG_ERROR = 0x1C010002

Answered = Callable[[Any], Any]


@dataclass
class FakePipe:
    """The calls of one interface, by their structures. One that is not among them is refused as out of range."""

    calls: Mapping[type, Answered]
    garbage: bytes | None = None
    """What every answer is instead."""
    _request: bytes = b""
    _answers: list[bytes] = field(default_factory=list)

    def doesSupportNTLMv2(self) -> bool:  # noqa: N802
        return True

    def send(self, data: bytes, forceWriteAndx: int = 0, forceRecv: int = 0) -> None:  # noqa: N803
        if MSRPCHeader(data)["type"] == MSRPC_BIND:
            self._answers.append(_bound(data))
            return
        request = MSRPCRequestHeader(data)
        self._request += request["pduData"]
        if request["flags"] & PFC_LAST_FRAG:
            whole, self._request = self._request, b""
            self._answers += self._fragments(request, whole)

    def recv(self, forceRecv: int = 0, count: int = 0) -> bytes:  # noqa: N803
        return self._answers.pop(0) if self.garbage is None else self.garbage

    def _fragments(self, request: MSRPCRequestHeader, data: bytes) -> list[bytes]:
        call = next((call for call in self.calls if call.opnum == request["op_num"]), None)
        if call is None:
            return [_pdu(request, MSRPC_FAULT, struct.pack("<L", _OP_RNG_ERROR), last=True)]
        answer = self.calls[call](call(data)).getData()
        parts = [answer[at : at + _FRAGMENT] for at in range(0, len(answer), _FRAGMENT)]
        return [_pdu(request, MSRPC_RESPONSE, part, last=part is parts[-1]) for part in parts]


def _pdu(request: MSRPCRequestHeader, kind: int, data: bytes, *, last: bool) -> bytes:
    answer = MSRPCRespHeader()
    answer["type"], answer["call_id"], answer["pduData"] = kind, request["call_id"], data
    answer["flags"] = PFC_LAST_FRAG if last else 0
    answer["frag_len"] = len(answer)
    return bytes(answer.get_packet())


def _bound(data: bytes) -> bytes:
    ack = MSRPCBindAck()
    ack["type"], ack["call_id"] = MSRPC_BINDACK, MSRPCHeader(data)["call_id"]
    ack["max_tfrag"] = ack["max_rfrag"] = _FRAGMENT
    ack["assoc_group"], ack["SecondaryAddr"], ack["SecondaryAddrLen"] = 1, "x", 2
    ack["Pad"] = "A" * ((4 - (ack["SecondaryAddrLen"] + MSRPCBindAck._SIZE) % 4) % 4)
    ack["ctx_num"], ack["ctx_items"] = 1, struct.pack("<HH", 0, 0) + NDR
    ack["frag_len"] = len(ack.getData())
    return bytes(ack.getData())


@dataclass
class FakeService:
    runs_as: str
    state: int = scmr.SERVICE_RUNNING
    password: str = ""
    dependants: tuple[str, ...] = ()
    start_fails: int = 0
    """The Win32 code with which a start is refused."""
    dies: int = 0
    """The Win32 code with which it ends while it starts."""
    lasting: int = 1
    """How often it is asked before it has stopped or started."""
    untouched: tuple[object, ...] = ("own process", "auto start", "C:\\service.exe")


@dataclass
class FakeManager:
    """The Service Control Manager. `lacks` are calls it does not offer; `denied` refuses what changes."""

    services: dict[str, FakeService]
    denied: bool = False
    _names: list[str] = field(default_factory=list)

    def pipe(self, *lacks: type) -> FakePipe:
        calls: dict[type, Answered] = {
            scmr.ROpenSCManagerW: self._open_manager,
            scmr.ROpenServiceW: self._open,
            scmr.RCloseServiceHandle: self._close,
            scmr.RQueryServiceConfigW: self._config,
            scmr.RQueryServiceStatus: self._status,
            scmr.REnumDependentServicesW: self._dependants,
            scmr.RChangeServiceConfigW: self._change,
            scmr.RControlService: self._control,
            scmr.RStartServiceW: self._start,
        }
        return FakePipe({call: answer for call, answer in calls.items() if call not in lacks})

    def _open_manager(self, call: Any) -> Any:
        answer = scmr.ROpenSCManagerWResponse()
        answer["lpScHandle"], answer["ErrorCode"] = b"M" * 20, 0
        return answer

    def _open(self, call: Any) -> Any:
        assert call["hSCManager"] == b"M" * 20
        name = call["lpServiceName"].rstrip("\0")
        answer = scmr.ROpenServiceWResponse()
        self._names.append(name)
        answer["lpServiceHandle"] = struct.pack("<I16x", len(self._names))
        answer["ErrorCode"] = 0 if name in self.services else 1060
        return answer

    def _close(self, call: Any) -> Any:
        answer = scmr.RCloseServiceHandleResponse()
        answer["hSCObject"], answer["ErrorCode"] = b"\0" * 20, 0
        return answer

    def _of(self, call: Any) -> FakeService:
        return self.services[self._names[struct.unpack_from("<I", call["hService"])[0] - 1]]

    def _config(self, call: Any) -> Any:
        answer = scmr.RQueryServiceConfigWResponse()
        config = answer["lpServiceConfig"]
        for number in ("dwServiceType", "dwStartType", "dwErrorControl", "dwTagId"):
            config[number] = 0
        for text in ("lpBinaryPathName", "lpLoadOrderGroup", "lpDependencies", "lpDisplayName"):
            config[text] = "x\0"
        config["lpServiceStartName"] = self._of(call).runs_as + "\0"
        room = 200
        answer["pcbBytesNeeded"], answer["ErrorCode"] = room, 0 if call["cbBufSize"] >= room else 122
        return answer

    def _status(self, call: Any) -> Any:
        service = self._of(call)
        pending = {scmr.SERVICE_STOP_PENDING: scmr.SERVICE_STOPPED, scmr.SERVICE_START_PENDING: scmr.SERVICE_RUNNING}
        if service.state in pending:
            service.lasting -= 1
            if service.lasting < 0:
                service.state = scmr.SERVICE_STOPPED if service.dies else pending[service.state]
        answer = scmr.RQueryServiceStatusResponse()
        _fill(answer["lpServiceStatus"], service)
        answer["ErrorCode"] = 0
        return answer

    def _dependants(self, call: Any) -> Any:
        names = self._of(call).dependants
        texts, at = b"", 36 * len(names)
        records = b""
        for name in names:
            records += struct.pack("<II28x", at + len(texts), at + len(texts))
            texts += (name + "\0").encode("utf-16-le")
        data = records + texts
        answer = scmr.REnumDependentServicesWResponse()
        fits = call["cbBufSize"] >= len(data)
        answer["lpServices"] = [data[at : at + 1] for at in range(len(data))] if fits else []
        answer["pcbBytesNeeded"], answer["lpServicesReturned"] = len(data), len(names) if fits else 0
        answer["ErrorCode"] = 0 if fits else 234
        return answer

    def _change(self, call: Any) -> Any:
        answer = scmr.RChangeServiceConfigWResponse()
        answer["lpdwTagId"], answer["ErrorCode"] = NULL, 5 if self.denied else 0
        if not self.denied:
            service = self._of(call)
            kept = [call[name] for name in ("dwServiceType", "dwStartType", "dwErrorControl")]
            assert kept == [scmr.SERVICE_NO_CHANGE] * 3
            assert all(call[name] == b"" for name in ("lpBinaryPathName", "lpLoadOrderGroup", "lpDisplayName"))
            data = b"".join(call["lpPassword"])
            assert len(data) == call["dwPwSize"]
            service.runs_as = call["lpServiceStartName"].rstrip("\0")
            service.password = _decrypted(KEY, data)
        return answer

    def _control(self, call: Any) -> Any:
        service = self._of(call)
        answer = scmr.RControlServiceResponse()
        assert call["dwControl"] == scmr.SERVICE_CONTROL_STOP
        running = service.state == scmr.SERVICE_RUNNING
        if running:
            service.state = scmr.SERVICE_STOP_PENDING
        _fill(answer["lpServiceStatus"], service)
        answer["ErrorCode"] = 0 if running else 1062
        return answer

    def _start(self, call: Any) -> Any:
        service = self._of(call)
        answer = scmr.RStartServiceWResponse()
        answer["ErrorCode"] = service.start_fails or (1056 if service.state == scmr.SERVICE_RUNNING else 0)
        if not answer["ErrorCode"]:
            service.state, service.lasting = scmr.SERVICE_START_PENDING, 1
        return answer


def _fill(status: Any, service: FakeService) -> None:
    for number in ("dwServiceType", "dwControlsAccepted", "dwServiceSpecificExitCode", "dwCheckPoint", "dwWaitHint"):
        status[number] = 0
    status["dwCurrentState"], status["dwWin32ExitCode"] = service.state, service.dies


def _decrypted(key: bytes, data: bytes) -> str:
    """MS-LSAD 5.1.3."""
    from Cryptodome.Cipher import DES

    text, left = b"", key
    for at in range(0, len(data), 8):
        text += DES.new(transformKey(left[:7]), DES.MODE_ECB).decrypt(data[at : at + 8])
        left = left[7:]
        if len(left) < 7:
            left = key[len(left) :]
    length, version = struct.unpack_from("<LL", text)
    assert version == 1
    return text[8 : 8 + length].decode("utf-16-le").rstrip("\0")


@dataclass
class FakeScheduler:
    """The Task Scheduler. `refuses` is the HRESULT with which a registration is refused."""

    tasks: dict[str, str]
    refuses: int = 0
    registered: list[tuple[str, str, int, str, str]] = field(default_factory=list)

    def pipe(self) -> FakePipe:
        return FakePipe({tsch.SchRpcRetrieveTask: self._retrieve, tsch.SchRpcRegisterTask: self._register})

    def _retrieve(self, call: Any) -> Any:
        path = call["path"].rstrip("\0")
        answer = tsch.SchRpcRetrieveTaskResponse()
        answer["pXml"] = self.tasks.get(path, "") + "\0"
        answer["ErrorCode"] = 0 if path in self.tasks else 0x80070002
        return answer

    def _register(self, call: Any) -> Any:
        answer = tsch.SchRpcRegisterTaskResponse()
        answer["pActualPath"], answer["pErrorInfo"], answer["ErrorCode"] = NULL, NULL, self.refuses
        assert (call["logonType"], call["cCreds"]) == (tsch.TASK_LOGON_PASSWORD, 1)
        given = call["pCreds"][0]
        texts = [text.rstrip("\0") for text in (call["path"], call["xml"], given["userId"], given["password"])]
        if not self.refuses:
            self.registered.append((texts[0], texts[1], call["flags"], texts[2], texts[3]))
        return answer
