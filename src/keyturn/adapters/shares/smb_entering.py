"""One identity at one share: what is presented, and what came of it, with its NTSTATUS and how long it took."""

import time
from collections.abc import Callable

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from keyturn.adapters.shares import kerberos, smb_tickets
from keyturn.adapters.shares.smb_answers import LOGON, SHARE
from keyturn.adapters.shares.smb_session import Place, session_of
from keyturn.distribution.accesses import Access
from keyturn.distribution.presenting import Note, NotLetIn, Presentable
from keyturn.distribution.run_context import AsUser, Machine, RealmAccount
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.wire.agent import NoAnswer

_Said = Callable[[Answer | None, int], Access]


def let_in(
    connection: Connection, place: Place, presented: Presentable, order: int, note: Note, protocol: LogonProtocol
) -> TreeConnect:
    """Raises NotLetIn where the realm or the share says no, or cannot say yes; NoAnswer where the connection ended on
    the way, so that nobody knows whether the password was counted. `note` is told of all three. Status 0 of a wrong
    password: it is known to be one, and nobody was asked."""
    began = time.monotonic()

    def said(answer: Answer | None, status: int) -> Access:
        access = Access(place.root, str(presented.identity), order, answer, status, time.monotonic() - began)
        note(access)
        return access

    with presented.turn() as good:
        if not good:
            raise NotLetIn(said(Answer.WRONG_PASSWORD, 0))
        session = _logged_on(connection, presented, protocol, said)
    tree = _entered(session, place, said)
    said(Answer.ACCEPTED, 0)
    return tree


def _logged_on(connection: Connection, presented: Presentable, protocol: LogonProtocol, said: _Said) -> Session:
    try:
        return _session(connection, presented, protocol)
    except SMBResponseException as error:
        answer = LOGON.get(error.status)
        access = said(answer, error.status)
        if answer is Answer.WRONG_PASSWORD:
            presented.spoiled()
        raise NotLetIn(access) from None
    except smb_tickets.NoTicket as error:
        raise NotLetIn(said(None, error.status)) from None
    except kerberos.errors() as error:
        raise _refused_by_controller(error, presented, said) from None
    except (SMBException, OSError, ValueError) as error:
        said(None, 0)
        raise NoAnswer(f"the logon did not come to its end: {str(error)[:200]}") from None


def _session(connection: Connection, presented: Presentable, protocol: LogonProtocol) -> Session:
    match presented.identity:
        case Machine():
            return smb_tickets.session_of_machine(connection)
        case AsUser(name):
            return smb_tickets.session_of_user(connection, name)
        case RealmAccount(account):
            if presented.secret is None:
                raise smb_tickets.NoTicket(smb_tickets.NO_LOGON_SESSION)
            return session_of(connection, account, presented.secret, protocol)


def _refused_by_controller(error: Exception, presented: Presentable, said: _Said) -> NotLetIn:
    """The status is the number of RFC 4120: no server has seen anything of the logon yet."""
    try:
        answer: Answer | None = kerberos.answer_of(error)
    except NoAnswer:
        answer = None
    access = said(answer, kerberos.number_of(error))
    if answer is Answer.WRONG_PASSWORD:
        presented.spoiled()
    return NotLetIn(access)


def _entered(session: Session, place: Place, said: _Said) -> TreeConnect:
    tree = TreeConnect(session, place.root)
    try:
        tree.connect()
    except SMBResponseException as error:
        raise NotLetIn(said(SHARE.get(error.status), error.status)) from None
    except (SMBException, OSError, ValueError) as error:
        said(None, 0)
        raise NoAnswer(f"{place.root} was not entered: {str(error)[:200]}") from None
    return tree
