"""A real nginx for tests and benches, with a site's own certificate."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_WHOLE = """\
daemon on;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{inner}
}}
"""


@contextmanager
def serving(folder: Path, inner: str) -> Iterator[None]:
    """`inner` is what stands inside `http`. Skips the test where nginx is not installed."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        pytest.skip("nginx is not installed (scripts/system-packages)")
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "nginx.conf"
    settings.write_text(_WHOLE.format(folder=folder, inner=inner))
    command = [program, "-c", str(settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        subprocess.run([*command, "-s", "quit"], capture_output=True, timeout=60, check=True)
