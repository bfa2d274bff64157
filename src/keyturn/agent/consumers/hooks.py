"""A program that gives the password to whoever it knows. Secrets come on its standard input alone.

Called as PROGRAM … VERB, with one JSON object on standard input:

    holds    {"account", "generation"}                       0: it works with this generation already
    adopt    {"account", "name", "generation", "password"}   0: it has taken the password over
    verify   {"account", "generation"}                       0: whoever uses it works with it
"""

import json

from keyturn.agent.consumers.commands import Ran, run
from keyturn.agent.consumers.settings import HookConsumer
from keyturn.model.secret import Secret


def adopt(consumer: HookConsumer, account: str, generation: int, secret: Secret) -> Ran:
    """Safe to repeat: it is asked first whether it holds this generation."""
    about = {"account": account, "generation": generation}
    if not _call(consumer, "holds", about).ok:
        name = account.partition("\\")[2]
        ran = _call(consumer, "adopt", {**about, "name": name, "password": secret.reveal()}, hide=secret)
        if not ran.ok:
            return ran
    return _call(consumer, "verify", about, hide=secret)


def _call(consumer: HookConsumer, verb: str, about: dict[str, object], hide: Secret | None = None) -> Ran:
    stdin = Secret(json.dumps(about))
    return run((*consumer.command, verb), timeout_s=consumer.timeout_s, stdin=stdin, hide=hide, on=consumer.on)
