"""A site on which everything is in flight that can be, and whose ports break at the call of a given number."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keyturn
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.operations.parts import Parts
from tests.inner_site import InnerSite


class Broken(RuntimeError):
    """Foreseen by nobody, so nothing translates it and every frame is in its traceback."""


@dataclass
class Fault:
    """Breaks the call of that number once it is made, so that its answer is lost; 0 never does."""

    at: int = 0
    calls: int = 0

    def around(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        number = self.calls
        found = call(*args, **kwargs)
        if number == self.at:
            raise Broken
        return found

    @property
    def struck(self) -> bool:
        return 0 < self.at <= self.calls


class Breaking:
    """Any port. What a call of it returns is left whole, except a lease."""

    def __init__(self, inner: Any, fault: Fault) -> None:
        self._inner = inner
        self._fault = fault

    def __getattr__(self, verb: str) -> Any:
        call = getattr(self._inner, verb)
        if not callable(call):
            return Breaking(call, self._fault)  # the people of a store

        def breaking(*args: Any, **kwargs: Any) -> Any:
            found = self._fault.around(call, *args, **kwargs)
            return Breaking(found, self._fault) if verb == "lease" and found else found

        return breaking


def breaking(site: InnerSite, fault: Fault) -> Parts:
    """The parts of the site, with the fault in its store, its realms and its clock alike."""
    parts, store = site.parts, Breaking(site.store, fault)
    return replace(
        parts,
        store=store,
        authorities=lambda realm: Budgeted(Breaking(site.realms(realm), fault), store, site.clock),
        access_realm=lambda realm: Breaking(parts.access_realm(realm), fault),
        realm_tools=lambda realm: Breaking(parts.realm_tools(realm), fault),
        now=lambda: fault.around(parts.now),
        wake=lambda: fault.around(parts.wake),
    )


def with_locals(error: BaseException) -> str:
    """Our own frames of the traceback, as a crash reporter would send them. Other people's are left out: a framework
    has read the body of a request before we can make a Secret of it."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    _leave_out_strangers(shown)
    return "".join(shown.format())


def _leave_out_strangers(shown: traceback.TracebackException) -> None:
    ours = str(Path(keyturn.__file__).parent)
    shown.stack = traceback.StackSummary.from_list([f for f in shown.stack if f.filename.startswith(ours)])
    for cause in (shown.__cause__, shown.__context__):
        if cause:
            _leave_out_strangers(cause)
