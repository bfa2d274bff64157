"""Run on a node of the lab, whose own network and winbind it is to meet: what comes of programs there, as JSON."""

import json
import sys
import tempfile
from pathlib import Path

from keyturn.adapters.runners.posix.runner import PosixRunner
from keyturn.contracts.runner import run
from keyturn.distribution.run_context import ExecuteAs, RaisedAccount, TokenAccount
from tests.posix_runs import machine

IDENTITIES: dict[str, ExecuteAs] = {
    "token": TokenAccount(),
    "installer": RaisedAccount("CORP\\kt-installer"),
    "unknown": RaisedAccount("CORP\\kt-nobody"),
}
_JOINED = "passwd: files winbind\ngroup: files winbind\nhosts: files dns\n"


def main(*names: str) -> None:
    with machine(), tempfile.TemporaryDirectory() as folder:
        Path("/etc/nsswitch.conf").write_text(_JOINED)
        (Path(folder) / "content").mkdir(mode=0o755)
        runner = PosixRunner(Path(folder) / "runs")
        found = {}
        for name in names:
            ended = run(runner, 'sh -c "id -u"', Path(folder) / "content", IDENTITIES[name])
            found[name] = [ended.executed_as, ended.login, ended.home, ended.output.decode() + ended.reason]
        print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
