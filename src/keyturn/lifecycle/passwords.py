"""What a new password must look like: the realm's policy on one side, what every holder can keep on the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keyturn.model.accounts import canonical
from keyturn.model.errors import Refused
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret

LOWER = "abcdefghijkmnopqrstuvwxyz"
UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "23456789"
MARKS = "-_.+=!"
"""No `l`, `I`, `O`, `0`, `1`, which paper confuses, and no `%`, quotes or backslashes, which consoles misread."""

CLASSES = (LOWER, UPPER, DIGITS, MARKS)
SHORTEST = 14
"""A generated password is never shorter (facts of the field: 14 characters of mixed classes)."""
USUAL = 24
"""Long enough for any guess, short enough to be read from paper."""

Choose = Callable[[str], str]
"""Picks one character of those given, unpredictably."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The longest password somebody can keep. Product and holder limits show only later, as lockouts (Q318396)."""

    who: str
    max_length: int


@dataclass(frozen=True, slots=True)
class PasswordRules:
    account: str
    min_length: int
    complexity: bool
    limits: tuple[Limit, ...] = ()
    forbidden: str = ""
    """Characters that somebody on the way misreads (`%` in a console)."""

    @property
    def tightest(self) -> Limit | None:
        return min(self.limits, key=lambda limit: limit.max_length, default=None)


def rules_of(account: str, policy: RealmPolicy, limits: Sequence[Limit], forbidden: str = "") -> PasswordRules:
    """Raises Refused when nothing can satisfy both the realm and the tightest holder."""
    rules = PasswordRules(account, policy.min_length, policy.complexity, tuple(limits), forbidden)
    tightest = rules.tightest
    if tightest and tightest.max_length < policy.min_length:
        raise Refused(
            f"the realm demands {policy.min_length} characters for {account}, "
            f"and {tightest.who} takes at most {tightest.max_length}",
            hint="give the account a policy of its own, or lift that limit",
        )
    return rules


def generate(rules: PasswordRules, choose: Choose) -> Secret:
    """A password that fits: every class present, each character drawn by `choose`. Raises Refused where only a
    password shorter than 14 characters would fit; one can still be given by hand."""
    length = max(USUAL, rules.min_length)
    if rules.tightest:
        length = min(length, rules.tightest.max_length)
    if length < SHORTEST and rules.tightest:
        raise Refused(
            f"{rules.tightest.who} takes at most {length} characters for {rules.account}; "
            f"none is generated under {SHORTEST}",
            hint="--password-stdin takes one from you",
        )
    while True:
        text = "".join(choose("".join(CLASSES)) for _ in range(length))
        if not faults(Secret(text), rules) and all(set(text) & set(wanted) for wanted in CLASSES):
            return Secret(text)


def refuse_unfit(secret: Secret, rules: PasswordRules) -> None:
    """Raises Refused naming every reason; never the password."""
    found = faults(secret, rules)
    if found:
        raise Refused(f"the password for {rules.account} {' and '.join(found)}", hint="give another one")


def faults(secret: Secret, rules: PasswordRules) -> list[str]:
    text = secret.reveal()
    found = []
    if len(text) < rules.min_length:
        found.append(f"is shorter than the {rules.min_length} characters the realm demands")
    if any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in text):
        found.append("contains a character that cannot be written")
    if set(text) & set(rules.forbidden):
        found.append(f"contains one of {rules.forbidden}")
    if rules.complexity:
        found += _simple(text, rules.account)
    found += [
        f"is longer than the {limit.max_length} characters that {limit.who} takes"
        for limit in rules.limits
        if len(text) > limit.max_length
    ]
    return found


def _simple(text: str, account: str) -> list[str]:
    """The complexity rule of directories: three of four classes, and not the account's name (Q221218)."""
    present = [
        any(c.islower() for c in text),
        any(c.isupper() for c in text),
        any(c.isdigit() for c in text),
        any(not c.isalnum() for c in text),
    ]
    found = [] if sum(present) >= 3 else ["has fewer than three kinds of characters"]
    name = canonical(account.rpartition("\\")[2])
    if len(name) >= 3 and name in canonical(text):
        found.append("contains the account's name")
    return found
