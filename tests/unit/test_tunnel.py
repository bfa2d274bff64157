"""The bytes between libldap and a directory, in a process that has many files open."""

import os
import resource
import socket
from collections.abc import Iterator

import pytest

from keyturn.adapters.authorities.directories.tunnel import readable

SELECT_ENDS_AT = 1024


@pytest.fixture
def full_process() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * SELECT_ENDS_AT), hard))
    taken: list[int] = []
    while not taken or taken[-1] <= SELECT_ENDS_AT:
        taken.append(os.open(os.devnull, os.O_RDONLY))
    yield
    for number in taken:
        os.close(number)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_directory_is_heard_by_a_process_with_a_thousand_files(full_process: None) -> None:
    ours, theirs = socket.socketpair()
    idle, other = socket.socketpair()
    with ours, theirs, idle, other:
        assert ours.fileno() > SELECT_ENDS_AT
        theirs.sendall(b"said")
        assert readable(ours, idle) == {ours}
        other.close()
        ours.recv(4)
        assert readable(ours, idle) == {idle}, "it is closed"
