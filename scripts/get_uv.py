"""Puts uv into the virtual environment that runs this, without pip: for machines whose Python came without it.

Standard library only. The wheel's SHA-256 is compared with the index's before anything is unpacked.
"""

import hashlib
import io
import json
import platform
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

INDEX = "https://pypi.org/pypi/uv/json"


def main() -> None:
    with urllib.request.urlopen(INDEX, timeout=60) as answer:
        files = json.load(answer)["urls"]
    wheel = next((file for file in files if fits(file["filename"])), None)
    if wheel is None:
        sys.exit(f"error: no uv wheel for {platform.machine()} on {sys.platform}")
    with urllib.request.urlopen(wheel["url"], timeout=300) as answer:  # noqa: S310 (told by the index, checked below)
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != wheel["digests"]["sha256"]:
        sys.exit("error: the uv wheel is not the one that the index names")
    unpack(content, Path(sysconfig.get_path("scripts")))


def fits(name: str) -> bool:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin":
        return "macosx" in name and (machine in name or ("arm64" in name and machine == "aarch64"))
    libc = "musllinux" if not platform.libc_ver()[0] else "manylinux"
    return libc in name and name.endswith(f"_{machine}.whl")


def unpack(content: bytes, scripts: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        for name in wheel.namelist():
            if name.endswith("/scripts/uv"):
                target = scripts / "uv"
                target.write_bytes(wheel.read(name))
                target.chmod(0o755)


main()
