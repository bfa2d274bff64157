"""Runs on the other machine, which has none of Keyturn: it is sent over the connection, and needs Python alone.

It says what the machine is, then reads what to do: a line of JSON, then the agent's own files as a tar archive. It
says everything in lines that begin with `keyturn`, for a machine may print a greeting of its own. The enrolment token
comes in that JSON, and goes to the agent's standard input and nowhere else. Written for every Python from 3.6
on, so that an old one is told so in words.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from typing import Any


class Trouble(Exception):
    pass


def main() -> None:
    say("here", python=list(sys.version_info[:2]), soabi=sysconfig.get_config_var("SOABI"), uid=os.geteuid())
    line = sys.stdin.buffer.readline()
    if not line:
        return
    order = json.loads(line.decode())
    try:
        say("done", note=(install if order["do"] == "install" else remove)(order))
    except (OSError, Trouble, tarfile.TarError, EOFError) as error:
        say("failed", message=" ".join(str(error).split())[:300])


def install(order: "dict[str, Any]") -> str:
    """Each step may be made again, after a try that was cut off anywhere."""
    archive = sys.stdin.buffer.read(order["size"])
    if len(archive) != order["size"]:
        raise Trouble("the connection ended before the agent's files had come")
    folder, program = order["folder"], os.path.join(order["folder"], "keyturn")
    os.makedirs(folder, mode=0o755, exist_ok=True)
    if os.path.exists(program):
        ask([program, "agent", "stop", "--dir", order["home"]], must=False)
    unpack(archive, folder, order["digest"])
    written(os.path.join(folder, "site-ca.pem"), order["ca"], 0o644)
    interpreter = sys.executable or "python3"
    written(program, f'#!/bin/sh\nexec "{interpreter}" -I "{folder}/current" "$@"\n', 0o755)
    words = ["--server", order["server"], "--name", order["name"], "--ca", os.path.join(folder, "site-ca.pem")]
    ask([program, "agent", "enrol", "--token-stdin", "--dir", order["home"], *words], given=order["token"])
    return ask([program, "agent", "start", "--dir", order["home"]])


def remove(order: "dict[str, Any]") -> str:
    program = os.path.join(order["folder"], "keyturn")
    if not os.path.exists(program):
        return "no agent that was pushed is there"
    ask([program, "agent", "uninstall", "--yes", "--dir", order["home"]])
    return "its agent was uninstalled"


def unpack(archive: bytes, folder: str, digest: str) -> None:
    """Whole or not at all: a folder of its own, and then the link to it."""
    place, fresh = os.path.join(folder, digest), os.path.join(folder, ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    if not os.path.isdir(place):
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
            if hasattr(tarfile, "data_filter"):
                files.extractall(fresh, filter="data")
            else:
                files.extractall(fresh)  # noqa: S202 - it comes from the site server, over its own connection
        os.rename(fresh, place)
    link = os.path.join(folder, ".current.new")
    if os.path.lexists(link):
        os.remove(link)
    os.symlink(digest, link)
    os.replace(link, os.path.join(folder, "current"))
    for name in os.listdir(folder):
        other = os.path.join(folder, name)
        if name != digest and os.path.isdir(other) and not os.path.islink(other):
            shutil.rmtree(other, ignore_errors=True)


def written(path: str, text: str, mode: int) -> None:
    with open(path + ".new", "w") as file:
        file.write(text)
    os.chmod(path + ".new", mode)
    os.replace(path + ".new", path)


def ask(words: "list[str]", given: str = "", must: bool = True) -> str:
    """The last line that it printed. A failure is its error, with the way out."""
    run = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    printed, said = run.communicate((given + "\n").encode())
    if run.returncode and must:
        raise Trouble(f"{' '.join(words[1:3])}: {last(said) or run.returncode}")
    return last(printed)


def last(output: bytes) -> str:
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("error: ", "hint:"))]
    if len(said) > 1 and said[-1].startswith("hint:"):
        return f"{said[-2]} ({said[-1][5:].strip()})"
    return (said or lines or [""])[-1]


def say(what: str, **more: object) -> None:
    sys.stdout.write(f"keyturn {what} {json.dumps(more)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
