"""One line for each time a share or distribution point was reached for: who was presented, and what it said."""

from dataclasses import dataclass

from keyturn.model.logon import Answer


@dataclass(frozen=True, slots=True)
class Access:
    r"""`unc` is `\\host\share` (and the path below it, where one file was refused) or the point's URL. `order` counts
    from 1 the identities tried there. `status` is the NTSTATUS or HTTP status; 0: nobody answered."""

    unc: str
    identity: str
    order: int
    answer: Answer | None
    """None: the point was not reached, or its answer could not be understood."""
    status: int
    seconds: float

    @property
    def let_in(self) -> bool:
        return self.answer is Answer.ACCEPTED

    def __str__(self) -> str:
        status = f"{self.status:#010x}" if self.status > 0xFFFF else str(self.status)
        said = self.answer.value if self.answer else "no answer"
        return f"{self.unc} as {self.identity} (try {self.order}): {said}, status {status}, {self.seconds:.3f} s"
