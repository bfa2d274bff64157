"""What a program sees as `errno` of what a file server says by NTSTATUS (MS-ERREF 2.3.1).

By number, since the library has a name for some only. Where the two systems differ, as cifs of the Linux kernel has it.
"""

import errno
from collections.abc import Mapping

_ERRORS: Mapping[int, int] = {
    0xC0000008: errno.EBADF,  # INVALID_HANDLE
    0xC000000D: errno.EINVAL,  # INVALID_PARAMETER
    0xC000000F: errno.ENOENT,  # NO_SUCH_FILE
    0xC0000022: errno.EACCES,  # ACCESS_DENIED
    0xC0000033: errno.ENOENT,  # OBJECT_NAME_INVALID
    0xC0000034: errno.ENOENT,  # OBJECT_NAME_NOT_FOUND
    0xC0000035: errno.EEXIST,  # OBJECT_NAME_COLLISION
    0xC000003A: errno.ENOENT,  # OBJECT_PATH_NOT_FOUND
    0xC0000043: errno.EBUSY,  # SHARING_VIOLATION
    0xC0000044: errno.EDQUOT,  # QUOTA_EXCEEDED
    0xC0000054: errno.EBUSY,  # FILE_LOCK_CONFLICT
    0xC0000056: errno.ENOENT,  # DELETE_PENDING
    0xC0000061: errno.EACCES,  # PRIVILEGE_NOT_HELD
    0xC000007F: errno.ENOSPC,  # DISK_FULL
    0xC00000A2: errno.EROFS,  # MEDIA_WRITE_PROTECTED
    0xC00000B5: errno.ETIMEDOUT,  # IO_TIMEOUT
    0xC00000BA: errno.EISDIR,  # FILE_IS_A_DIRECTORY
    0xC00000BB: errno.EOPNOTSUPP,  # NOT_SUPPORTED
    0xC00000CC: errno.ENOENT,  # BAD_NETWORK_NAME
    0xC0000101: errno.ENOTEMPTY,  # DIRECTORY_NOT_EMPTY
    0xC0000103: errno.ENOTDIR,  # NOT_A_DIRECTORY
    0xC000011F: errno.EMFILE,  # TOO_MANY_OPENED_FILES
    0xC0000121: errno.EACCES,  # CANNOT_DELETE
    0xC0000128: errno.EBADF,  # FILE_CLOSED
    0xC0000257: errno.EREMOTE,  # PATH_NOT_COVERED: the share is part of a DFS tree
    0x8000002D: errno.ELOOP,  # STOPPED_ON_SYMLINK
}

SESSION_ENDED = frozenset(
    {
        0xC00000C9,  # NETWORK_NAME_DELETED
        0xC0000203,  # USER_SESSION_DELETED
        0xC000020C,  # CONNECTION_DISCONNECTED
        0xC000035C,  # NETWORK_SESSION_EXPIRED
    }
)
"""Nothing was done: it may be asked again after another logon."""


class Shown(OSError):
    """As the program is to see it; any other OSError is one of the connection."""

    def __init__(self, number: int) -> None:
        super().__init__(number, errno.errorcode[number])


def shown(status: int) -> Shown:
    return Shown(_ERRORS.get(status, errno.EIO))
