"""Keyturn as a process that tells everything. Run as `python loud.py SEEN ARGUMENTS…`.

Every logger of every library speaks at DEBUG, on stderr. What the interpreter does that another process
could see (opening files, starting programs, setting variables, connecting) goes to the file SEEN with its arguments.
Core dumps are allowed, as on a machine whose owner wants them: a process that makes none has refused by itself.
"""

import logging
import os
import resource
import runpy
import sys

_VISIBLE = ("open", "os.", "subprocess.", "tempfile.", "shutil.", "socket.", "sqlite3.", "syslog.")


def main() -> None:
    seen = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def keep(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_VISIBLE):
            os.write(seen, f"{event} {arguments!r}\n".encode("utf-8", "backslashreplace"))

    logging.basicConfig(level=logging.DEBUG, format="%(name)s %(levelname)s %(message)s")
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)  # it makes itself quiet where nobody has said otherwise
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    sys.addaudithook(keep)
    sys.argv[0] = "keyturn"
    runpy.run_module("keyturn", run_name="__main__")


if __name__ == "__main__":
    main()
