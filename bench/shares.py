"""Reading a large file of an SMB share, encrypted: as a program does through its folder and as an agent fetches
content, beside `smbclient` and the bare loop of the library that asks for one piece at a time.

As root, with smbd and FUSE: see lab/README.md.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from smbprotocol.open import CreateDisposition, CreateOptions, FilePipePrinterAccessMask

from keyturn.adapters.runners.posix.share_mounting import Mounted
from keyturn.adapters.shares.smb_content import SmbPoint
from keyturn.adapters.shares.smb_opening import EVERYBODY, Opened
from keyturn.adapters.shares.smb_session import connected, enter, log_on, place_of
from keyturn.distribution.presenting import SharePath
from keyturn.model.logon import LogonProtocol
from tests.file_server import READER, RIGHT, FileServer, account, serving

MB = 1_000_000
NAME = "large.bin"
_PIECE = 1024 * 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mb", type=int, default=300, help="how large the file is")
    arguments.add_argument("--rounds", type=int, default=3, help="the best one counts")
    given = arguments.parse_args()
    with serving() as server:
        (server.shared / NAME).write_bytes(os.urandom(given.mb * MB))
        ways: dict[str, Callable[[FileServer], float]] = {
            "smbclient": with_smbclient,
            "bare library": with_library,
            "content": as_content,
            "program's folder": through_folder,
        }
        speeds = {name: given.mb / min(way(server) for _ in range(given.rounds)) for name, way in ways.items()}
    for name, speed in speeds.items():
        print(f"{name:18} {speed:6.0f} MB/s  {speed / speeds['smbclient']:5.2f} of smbclient")


def with_smbclient(server: FileServer) -> float:
    address, password = f"//{server.address}/apps", f"FILES\\{READER}%{RIGHT.reveal()}\n"
    # Of a server that dies with the bench; its password goes through a file all the same.
    with tempfile.NamedTemporaryFile("w", suffix=".auth") as login:
        user, _, secret = password.strip().partition("%")
        login.write(f"username = {user}\npassword = {secret}\n")
        login.flush()
        begin = time.perf_counter()
        command = ["smbclient", address, "-A", login.name, "--client-protection=encrypt", "-c", f"get {NAME} /dev/null"]
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - begin


def with_library(server: FileServer) -> float:
    begin = time.perf_counter()
    with connected(server.address, 600) as connection:
        session = log_on(connection, f"FILES\\{READER}", RIGHT, LogonProtocol.NTLM)
        tree = enter(session, place_of(server.share).root)
        asked = (FilePipePrinterAccessMask.GENERIC_READ, EVERYBODY, CreateDisposition.FILE_OPEN)
        with Opened(tree, NAME, *asked, CreateOptions.FILE_NON_DIRECTORY_FILE) as file:
            for offset in range(0, file.end_of_file, _PIECE):
                file.read(offset, min(_PIECE, file.end_of_file - offset))
    return time.perf_counter() - begin


def as_content(server: FileServer) -> float:
    begin = time.perf_counter()
    with SmbPoint(server.share).reach(account(READER), 1, lambda _: None) as reached:
        for _ in reached.read(NAME, 0):
            pass
    return time.perf_counter() - begin


def through_folder(server: FileServer) -> float:
    """Without the start of the helper, which a run has once."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Mounted(Path(folder), (SharePath(server.share, (account(READER),)),)) as mounted,
    ):
        begin = time.perf_counter()
        command = ["dd", f"if={mounted.path(server.share) / NAME}", "of=/dev/null", "bs=1M"]
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - begin


if __name__ == "__main__":
    main()
