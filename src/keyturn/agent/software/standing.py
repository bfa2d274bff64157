"""The software of an agent that stays: its programs run beside its contacts.

Another process of the same agent may run programs just then, `keyturn agent software run` say, or the agent before this
one that is still ending. That is looked at again before every contact.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from keyturn.agent.home import Home
from keyturn.agent.ports import AgentParts
from keyturn.agent.software.cycle import Software
from keyturn.agent.software.opening import software
from keyturn.agent.turns import Besides, nothing


@contextmanager
def standing(home: Home, parts: AgentParts, stop: threading.Event) -> Iterator[Callable[[], Besides]]:
    """To be asked before each contact for what else is done in it. Until the end of the block, which comes once `stop`
    is set and what runs has ended."""
    programs: Software | None = None
    with ExitStack() as kept:

        def besides() -> Besides:
            nonlocal programs
            if programs is None:
                with ExitStack() as opening:
                    programs = opening.enter_context(software(home, parts))
                    if programs is not None:
                        opening.enter_context(programs.beside(stop, parts.wait))
                        kept.push(opening.pop_all())
            return programs.exchange if programs else nothing

        yield besides
