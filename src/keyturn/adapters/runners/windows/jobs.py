"""A process with everything it starts, as one job object, and its output through a pipe. Never run: see the package."""

import threading
import time
from collections.abc import Callable
from typing import Any

from keyturn.distribution.running import HowEnded
from keyturn.model.software import Overrun

_LOOK_S = 0.2
_DRAIN_S = 10.0
_ENDED = 1
_PIECE, KEPT = 64 * 1024, 64 * 1024


class Job:
    """Closing the last handle to it ends what is still in it: that is what becomes of a run whose agent is killed."""

    def __init__(self, tell: Callable[[bytes], None]) -> None:
        import win32job  # type: ignore[import-untyped]

        self._tell = tell
        self.output = b""
        self._job = win32job.CreateJobObject(None, "")
        self._keep_together(win32job.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)

    def start(self, token: Any, command_line: str, folder: str, environment: dict[str, str]) -> None:
        """Suspended until it is in the job, so that nothing it starts can be outside."""
        import win32job
        import win32process  # type: ignore[import-untyped]

        reading, writing = _pipe()
        startup = win32process.STARTUPINFO()
        startup.dwFlags = win32process.STARTF_USESTDHANDLES
        startup.hStdOutput = startup.hStdError = writing
        flags = win32process.CREATE_SUSPENDED | win32process.CREATE_NO_WINDOW | win32process.CREATE_UNICODE_ENVIRONMENT
        self._process, thread, _, _ = win32process.CreateProcessAsUser(
            token, None, command_line, None, None, True, flags, environment, folder, startup
        )
        win32job.AssignProcessToJobObject(self._job, self._process)
        win32process.ResumeThread(thread)
        writing.Close()
        self._reading = threading.Thread(target=self._pass_on, args=(reading,), daemon=True)
        self._reading.start()

    def watch(self, max_run_s: float, overrun: Overrun, stop: Callable[[], bool]) -> HowEnded:
        import win32job

        until, how = time.monotonic() + max_run_s, HowEnded.EXITED
        while self._active():
            late = time.monotonic() > until
            if late and overrun is Overrun.STOP_WATCHING:
                self._keep_together(0)
                return HowEnded.STILL_RUNS
            if late or stop():
                how = HowEnded.ENDED if late else HowEnded.STOPPED
                win32job.TerminateJobObject(self._job, _ENDED)
                break
            time.sleep(_LOOK_S)
        self._reading.join(_DRAIN_S)
        return how

    @property
    def exit_code(self) -> int:
        import win32process

        return int(win32process.GetExitCodeProcess(self._process))

    def _active(self) -> bool:
        import win32job

        told = win32job.QueryInformationJobObject(self._job, win32job.JobObjectBasicAccountingInformation)
        return int(told["ActiveProcesses"]) > 0

    def _keep_together(self, flags: int) -> None:
        import win32job

        limits = win32job.QueryInformationJobObject(self._job, win32job.JobObjectExtendedLimitInformation)
        limits["BasicLimitInformation"]["LimitFlags"] = flags
        win32job.SetInformationJobObject(self._job, win32job.JobObjectExtendedLimitInformation, limits)

    def _pass_on(self, reading: Any) -> None:
        import pywintypes  # type: ignore[import-untyped]
        import win32file  # type: ignore[import-untyped]

        try:
            while True:
                _, piece = win32file.ReadFile(reading, _PIECE)
                self.output = (self.output + piece)[-KEPT:]
                self._tell(piece)
        except pywintypes.error:
            reading.Close()  # everybody who could write has ended


def _pipe() -> tuple[Any, Any]:
    """What is read is kept, what is written is handed to the program."""
    import win32api  # type: ignore[import-untyped]
    import win32con  # type: ignore[import-untyped]
    import win32pipe  # type: ignore[import-untyped]
    import win32security  # type: ignore[import-untyped]

    attributes = win32security.SECURITY_ATTRIBUTES()
    attributes.bInheritHandle = True
    reading, writing = win32pipe.CreatePipe(attributes, 0)
    win32api.SetHandleInformation(reading, win32con.HANDLE_FLAG_INHERIT, 0)
    return reading, writing
