"""One run of `ansible-playbook` for each account: what a job that changes one password starts."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Play:
    """`settings` of the module are the same for every account; `for_account` adds those of one."""

    module: str
    settings: Mapping[str, object]
    for_account: Callable[[str], Mapping[str, object]]


def played(environment: Path, play: Play, names: Sequence[str]) -> None:
    """With the interpreter of that environment, so that what the module needs is found. JSON is YAML."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder, "play.yml")
        for name in names:
            task = {play.module: {**play.settings, **play.for_account(name)}}
            path.write_text(
                json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}])
            )
            _run(environment, path)


def _run(environment: Path, path: Path) -> None:
    interpreter = {"ansible_python_interpreter": str(environment / "bin" / "python")}
    done = subprocess.run(
        [environment / "bin" / "ansible-playbook", "-i", "localhost,", "-e", json.dumps(interpreter), path],
        env=os.environ | {"ANSIBLE_LOCALHOST_WARNING": "False", "LC_ALL": "C.UTF-8", "ANSIBLE_HOME": str(path.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or "changed=1" not in done.stdout:
        raise RuntimeError(f"ansible-playbook: {done.stdout[-2000:]}{done.stderr[-2000:]}")
