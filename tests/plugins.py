"""Packages that bring something to Keyturn, installed into a folder of their own: without network, beside nobody."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from keyturn.operations.plugins import AUTHORITIES

EXAMPLE = Path(__file__).parent.parent / "examples/plugin"
_UV = Path(sys.executable).with_name("uv")


def install_example(target: Path) -> Path:
    """As an administrator installs it, from its source. `target` is what goes into PYTHONPATH."""
    command = (_UV, "pip", "install", "--quiet", "--offline", "--no-config", "--no-deps", "--python", sys.executable)
    subprocess.run([*command, "--target", target, EXAMPLE], check=True)
    return target


def make_package(target: Path, name: str, kinds: Sequence[str], module: str, group: str = AUTHORITIES) -> None:
    """A package as an installer leaves it: version 1.2.3, and a module whose `make` brings the kinds."""
    metadata = target / f"{name}-1.2.3.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n")
    lines = "".join(f"{kind} = {name}:make\n" for kind in kinds)
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{lines}")
    (target / f"{name}.py").write_text(module)
