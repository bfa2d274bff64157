"""What the contract asks of status messages, and of how components stand."""

from collections.abc import Callable

import pytest

from keyturn.adapters.store.store import SqlStore
from keyturn.operations.status_messages import Asked
from keyturn.site.components import ComponentName, Order, Standing, State, Wanted
from keyturn.site.status_messages import Severity, StatusMessage
from tests.contract.store.setting import Setting

SENDER, DESPOOLER = ComponentName.SENDER, ComponentName.DESPOOLER
AT = 1000.0


def message(
    text: str, component: str = SENDER, severity: Severity = Severity.INFORMATIONAL, at: float = AT
) -> StatusMessage:
    return StatusMessage(at, "PHX", component, 500, severity, text, machine="SRV-PHX")


class StatusMessagesContract(Setting):
    @pytest.fixture
    def talkative(self, empty: SqlStore) -> SqlStore:
        empty.keep_message(message("one"))
        empty.keep_message(message("two", DESPOOLER, Severity.ERROR, at=AT + 10))
        empty.keep_message(message("three", severity=Severity.WARNING, at=AT + 20))
        return empty

    def texts(self, store: SqlStore, asked: Asked, limit: int = 10, *, newest: bool = False) -> list[str]:
        return [one.text for one in store.messages(asked, limit, newest=newest)]

    def test_a_message_is_kept_as_it_was_told_and_numbered(self, talkative: SqlStore) -> None:
        first, second, _ = talkative.messages(Asked(), 10)
        assert first == StatusMessage(AT, "PHX", SENDER, 500, Severity.INFORMATIONAL, "one", "SRV-PHX", first.number)
        assert 0 < first.number < second.number

    def test_messages_are_asked_for_by_number_moment_component_and_severity(self, talkative: SqlStore) -> None:
        first = talkative.messages(Asked(), 1)[0]
        assert self.texts(talkative, Asked(after=first.number)) == ["two", "three"]
        assert self.texts(talkative, Asked(since=AT + 10)) == ["two", "three"]
        assert self.texts(talkative, Asked(component="sms_lan_sender")) == ["one", "three"]
        assert self.texts(talkative, Asked(severity=Severity.WARNING)) == ["two", "three"]
        assert self.texts(talkative, Asked(severity=Severity.ERROR, component=SENDER)) == []

    def test_few_are_the_oldest_or_the_newest_and_in_their_order(self, talkative: SqlStore) -> None:
        assert self.texts(talkative, Asked(), 2) == ["one", "two"]
        assert self.texts(talkative, Asked(), 2, newest=True) == ["two", "three"]

    def test_the_last_word_of_each_component_is_found(self, talkative: SqlStore) -> None:
        assert {name: one.text for name, one in talkative.last_messages().items()} == {
            SENDER: "three",
            DESPOOLER: "two",
        }

    def test_what_is_too_old_or_too_much_is_forgotten(self, talkative: SqlStore) -> None:
        assert talkative.forget_messages(10, AT) == 0
        assert talkative.forget_messages(10, AT + 1) == 1
        assert talkative.forget_messages(1, 0) == 1
        assert self.texts(talkative, Asked()) == ["three"]

    def test_numbers_go_on_when_everything_is_forgotten(self, talkative: SqlStore) -> None:
        last = talkative.messages(Asked(), 10)[-1].number
        talkative.forget_messages(0, 0)
        talkative.keep_message(message("four"))
        assert [one.number for one in talkative.messages(Asked(), 10)] == [last + 1]

    def test_any_text_can_be_kept(self, empty: SqlStore) -> None:
        empty.keep_message(message("a \0 ' \U0001f511", component="ÜNICODE"))
        assert self.texts(empty, Asked(component="ünicode")) == ["a ␀ ' \U0001f511"]


class ComponentsContract(Setting):
    def test_nobody_has_said_anything_of_a_component_at_first(self, empty: SqlStore) -> None:
        assert empty.orders() == {}
        assert empty.standings() == ()

    def test_the_last_order_counts_and_outlives_the_process(
        self, empty: SqlStore, open_again: Callable[[], SqlStore]
    ) -> None:
        empty.order(SENDER, Wanted.STOP, "olga", anew=False)
        empty.order(DESPOOLER, Wanted.RUN, "olga", anew=True)
        empty.order(SENDER, Wanted.RUN, "paul", anew=True)
        empty.order(SENDER, Wanted.PAUSE, "paul", anew=False)
        assert open_again().orders() == {
            SENDER: Order(Wanted.PAUSE, 1, "paul"),
            DESPOOLER: Order(by="olga", restarts=1),
        }

    def test_a_process_says_again_how_all_of_its_components_stand(self, empty: SqlStore) -> None:
        here = Standing(SENDER, State.FAILING, 900, 2, 1010, "MemoryError", "one", AT)
        there = Standing(SENDER, State.RUNNING, 900, process="two", heard_at=AT)
        empty.stand("one", [here, Standing(DESPOOLER, State.RUNNING, 900, process="one", heard_at=AT)], forget_before=0)
        empty.stand("two", [there], forget_before=0)
        empty.stand("one", [here], forget_before=0)
        assert empty.standings() == (here, there)

    def test_what_a_process_said_long_ago_is_forgotten(self, empty: SqlStore) -> None:
        there = Standing(SENDER, State.RUNNING, 900, process="two", heard_at=AT)
        empty.stand("one", [Standing(SENDER, State.STOPPED, 900, process="one", heard_at=AT - 1)], forget_before=0)
        empty.stand("two", [there], forget_before=AT)
        assert empty.standings() == (there,)
