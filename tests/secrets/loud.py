"""Keyturn as a process that tells everything. Run as `python loud.py SEEN ARGUMENTS…`.

Every logger of every library speaks at its lowest level, on stderr. What the interpreter does that another process
could see (opening files, starting programs, setting variables, connecting) goes to the file SEEN with its arguments.
"""

import logging
import os
import runpy
import sys

_VISIBLE = ("open", "os.", "subprocess.", "tempfile.", "shutil.", "socket.", "sqlite3.", "syslog.")


def main() -> None:
    seen = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def keep(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_VISIBLE):
            os.write(seen, f"{event} {arguments!r}\n".encode("utf-8", "backslashreplace"))

    logging.basicConfig(level=1, format="%(name)s %(levelname)s %(message)s")
    sys.addaudithook(keep)
    sys.argv[0] = "keyturn"
    runpy.run_module("keyturn", run_name="__main__")


if __name__ == "__main__":
    main()
