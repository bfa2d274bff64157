"""However often, and wherever it is, a process is told to stop: it does."""

import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from keyturn.cli.told_to_stop import told_to_stop

_WAITS = """
import sys
from keyturn.cli.told_to_stop import told_to_stop
with told_to_stop() as told:
    print("waits", flush=True)
    while not told.wait(0.001):
        pass
    told.wait()
print("stopped", flush=True)
"""
_PATIENCE_S = 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("_", range(4))
def test_signal_upon_signal_stops_a_process_that_waits(number: signal.Signals, _: int) -> None:
    with subprocess.Popen([sys.executable, "-c", _WAITS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        for _ in range(300):
            with suppress(ProcessLookupError):
                process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
        ended = process.poll() is not None
        process.kill()
        assert ended, "it waits for ever"
        assert "stopped" in process.stdout.read() or process.returncode == -number  # after the last line


def test_what_was_there_before_is_there_again() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with told_to_stop() as told:
        signal.raise_signal(signal.SIGTERM)
        assert told.wait(_PATIENCE_S)
    assert {number: signal.getsignal(number) for number in before} == before
    assert signal.set_wakeup_fd(-1) == -1
