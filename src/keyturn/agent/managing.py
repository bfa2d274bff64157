"""How the agent manages other machines: with which of its own accounts, and what it remembers of them."""

from pathlib import Path

from keyturn.agent.consumers.windows import Loan, Windows
from keyturn.agent.consumers.windows_record import Record, from_text, to_text
from keyturn.agent.credentials import Credentials
from keyturn.agent.home import Home
from keyturn.agent.keys import Keys
from keyturn.agent.records import Copy, Standing
from keyturn.model.accounts import same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer
from keyturn.wire.agent import BadMessage
from keyturn.wire.sealed import BadSealed, open_sealed, seal_for
from keyturn.wire.windows import ReachWindows


def windows(home: Home, keys: Keys, credentials: Credentials, reach: ReachWindows) -> Windows:
    def borrow(account: str) -> Loan:
        """A proven standing stays so while it is presented (BEFORE_LOGON), so nothing is written before; a wrong
        answer makes it refused here as well, and the site is told."""
        copy = proven(credentials, account)
        secret = open_sealed(keys.identity, copy.account, copy.generation, copy.sealed)
        return Loan(copy.account, secret, lambda: credentials.settle(copy, Answer.WRONG_PASSWORD, tell=True))

    def recall(title: str) -> Record:
        """Nothing is known of it where nothing is kept, or what is kept was sealed to the keys before these."""
        try:
            return from_text(open_sealed(keys.identity, title, 0, home.previous(Path(title))))
        except (NotFound, BadSealed, BadMessage):
            return Record()

    def remember(title: str, record: Record) -> None:
        home.keep_previous(Path(title), seal_for(keys.recipient, title, 0, to_text(record)))

    return Windows(reach, borrow, recall, remember)


def proven(credentials: Credentials, account: str) -> Copy:
    """The one adopted last of those that stand for the account."""
    for copy in reversed(credentials.held()):
        stands_for = any(same_name(account, name) for name in (copy.account, *copy.succeeds))
        if stands_for and copy.standing is Standing.PROVEN:
            return copy
    raise Refused(f"this agent holds no proven password of {account}", hint="keyturn agent status")
