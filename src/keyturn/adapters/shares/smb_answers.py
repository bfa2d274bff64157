"""What an SMB server says at each stage of a read, by NTSTATUS number (MS-ERREF 2.3.1).

By number, since the library has a name for some only. A number that stands in no table says nothing that could be
acted on, and is told as it is.
"""

from collections.abc import Mapping

from keyturn.model.logon import Answer

LOGON: Mapping[int, Answer] = {
    0xC0000064: Answer.UNKNOWN_ACCOUNT,  # STATUS_NO_SUCH_USER
    0xC000006A: Answer.WRONG_PASSWORD,  # STATUS_WRONG_PASSWORD
    0xC000006D: Answer.WRONG_PASSWORD,  # STATUS_LOGON_FAILURE; of an unknown account too, on purpose
    0xC000006E: Answer.RESTRICTED,  # STATUS_ACCOUNT_RESTRICTION
    0xC000006F: Answer.NOT_AT_THIS_HOUR,  # STATUS_INVALID_LOGON_HOURS
    0xC0000070: Answer.NOT_FROM_HERE,  # STATUS_INVALID_WORKSTATION
    0xC0000071: Answer.PASSWORD_EXPIRED,  # STATUS_PASSWORD_EXPIRED
    0xC0000072: Answer.DISABLED,  # STATUS_ACCOUNT_DISABLED
    0xC000015B: Answer.NO_NETWORK_LOGON,  # STATUS_LOGON_TYPE_NOT_GRANTED
    0xC0000193: Answer.ACCOUNT_EXPIRED,  # STATUS_ACCOUNT_EXPIRED
    0xC0000224: Answer.MUST_CHANGE,  # STATUS_PASSWORD_MUST_CHANGE
    0xC0000234: Answer.LOCKED,  # STATUS_ACCOUNT_LOCKED_OUT
}
"""While the session is set up."""

SHARE: Mapping[int, Answer] = {
    0xC0000022: Answer.NO_SHARE_ACCESS,  # STATUS_ACCESS_DENIED
    0xC00000CC: Answer.NO_SHARE,  # STATUS_BAD_NETWORK_NAME
}
"""While the share is entered, by an account that was let in."""

FILE: Mapping[int, Answer] = {
    0xC0000022: Answer.NO_FILE_ACCESS,  # STATUS_ACCESS_DENIED
    0xC000000F: Answer.NO_FILE,  # STATUS_NO_SUCH_FILE
    0xC0000034: Answer.NO_FILE,  # STATUS_OBJECT_NAME_NOT_FOUND
    0xC000003A: Answer.NO_FILE,  # STATUS_OBJECT_PATH_NOT_FOUND
    0xC00000BA: Answer.NO_FILE,  # STATUS_FILE_IS_A_DIRECTORY
}
"""While the file is opened, in a share that was entered."""
