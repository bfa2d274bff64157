"""What an access point on a share promises the site, whatever carries it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.inbox_ports import AccessDenied, AccessPoint, InUse, Lying, PointTrouble, ReachedPoint
from keyturn.site.access_points import BAD_BOX, BOXES, ROOT
from keyturn.site.permissions import Grantee, wanted
from tests.secrets.breaking import with_locals

WRONG = Secret("Never-was-a-key-0")


@dataclass(frozen=True)
class Person:
    name: str
    """`REALM\\name`."""
    secret: Secret
    sid: str


@dataclass(frozen=True)
class Setting:
    """`administrator` may set permissions; `connection` is whom the site carries files with. `hold` keeps a file open.
    The access point is empty and open to the administrator."""

    point: AccessPoint
    unreachable: AccessPoint
    administrator: Person
    connection: Person
    hold: Callable[[str], AbstractContextManager[None]]

    @contextmanager
    def entered(self, person: Person) -> Iterator[ReachedPoint]:
        with self.point.reach() as reached:
            assert reached.log_on(person.name, person.secret) is Answer.ACCEPTED
            yield reached

    @contextmanager
    def working(self) -> Iterator[ReachedPoint]:
        with self.entered(self.connection) as reached:
            yield reached

    def set_up(self) -> None:
        with self.entered(self.administrator) as reached:
            for box in (ROOT, *BOXES, BAD_BOX):
                if box:
                    reached.make(box)
                reached.set_permissions(box, wanted(box, {Grantee.SERVER_CONNECTION: [self.connection.sid]}))
            for box in (*BOXES, BAD_BOX):
                for lying in reached.files(box):
                    reached.take(box, lying, lambda _: None)


class AccessPointContract:
    """Needs the fixture `setting`, set up."""

    def test_a_file_is_written_whole_and_replaced_whole(self, setting: Setting) -> None:
        with setting.working() as reached:
            for content in (b"x" * 200_000, b"short", b""):
                reached.write("clidata.box", "site.json", content)
                assert [(f.name, f.size) for f in reached.files("clidata.box")] == [("site.json", len(content))]

    def test_what_is_taken_is_handed_over_and_then_gone(self, setting: Setting) -> None:
        with setting.working() as reached:
            reached.write("ddr.box", "1.ddr", b"y" * 100_000)
            lying, kept = the_file(reached), []

            def keep(content: bytes) -> None:
                kept.append(content)

            reached.take("ddr.box", lying, keep)
            assert (kept, reached.files("ddr.box")) == ([b"y" * 100_000], ())
            reached.take("ddr.box", lying, keep)
            assert len(kept) == 1

    def test_a_file_stays_where_it_could_not_be_kept(self, setting: Setting) -> None:
        def keep(_: bytes) -> None:
            raise RuntimeError("the disk is full")

        with setting.working() as reached:
            reached.write("ddr.box", "1.ddr", b"y")
            with pytest.raises(RuntimeError):
                reached.take("ddr.box", the_file(reached), keep)
            assert the_file(reached).size == 1

    def test_a_file_that_is_open_elsewhere_is_not_taken(self, setting: Setting) -> None:
        with setting.working() as reached:
            reached.write("ddr.box", "1.ddr", b"y")
            with setting.hold(r"ddr.box\1.ddr"), pytest.raises(InUse):
                reached.take("ddr.box", the_file(reached), lambda _: None)
            assert the_file(reached).size == 1

    def test_a_file_that_was_written_anew_since_it_was_seen_is_not_taken_for_the_old_one(
        self, setting: Setting
    ) -> None:
        with setting.working() as reached:
            reached.write("ddr.box", "1.ddr", b"old")
            lying = the_file(reached)
            reached.write("ddr.box", "1.ddr", b"newer")
            with pytest.raises(InUse):
                reached.take("ddr.box", lying, lambda _: None)
            assert the_file(reached).size == 5

    def test_what_is_put_aside_is_whole(self, setting: Setting) -> None:
        with setting.working() as reached:
            reached.write("ddr.box", "1.ddr", b"z" * 100_000)
            reached.put_aside("ddr.box", the_file(reached), "ddr.box.0001")
            assert reached.files("ddr.box") == ()
            assert [(f.name, f.size) for f in reached.files(BAD_BOX)] == [("ddr.box.0001", 100_000)]

    def test_a_box_is_made_once_and_one_that_is_not_there_is_empty(self, setting: Setting) -> None:
        with setting.working() as reached:
            reached.make("ddr.box")
            assert reached.files("nowhere.box") == ()

    def test_permissions_come_back_as_they_were_given(self, setting: Setting) -> None:
        given = wanted("ddr.box", {Grantee.SERVER_CONNECTION: [setting.connection.sid]})
        with setting.entered(setting.administrator) as reached:
            assert reached.permissions("ddr.box") == given
            reached.set_permissions("ddr.box", given)
            assert reached.permissions("ddr.box") == given

    def test_who_is_not_named_is_denied_by_name_and_may_not_let_itself_in(self, setting: Setting) -> None:
        nobody = wanted("sinv.box", {})
        with setting.working() as reached:
            reached.write("sinv.box", "1.sic", b"z")
        with setting.entered(setting.administrator) as reached:
            reached.set_permissions("sinv.box", nobody)
            reached.set_permissions(r"sinv.box\1.sic", nobody)
        with setting.working() as reached:
            (lying,) = reached.files("sinv.box")  # users may look
            with pytest.raises(AccessDenied, match=setting.connection.name.partition("\\")[2]):
                reached.take("sinv.box", lying, lambda _: None)
            with pytest.raises(AccessDenied):
                reached.set_permissions("sinv.box", wanted("sinv.box", {}))

    def test_a_wrong_password_is_an_answer_and_shown_nowhere(self, setting: Setting) -> None:
        with setting.point.reach() as reached:
            assert reached.log_on(setting.connection.name, WRONG) is Answer.WRONG_PASSWORD
        with setting.point.reach() as reached:
            assert reached.log_on(setting.connection.name, setting.connection.secret) is Answer.ACCEPTED

    def test_a_machine_that_does_not_answer_is_trouble_before_anything_is_presented(self, setting: Setting) -> None:
        with pytest.raises(PointTrouble) as raised, setting.unreachable.reach() as reached:
            reached.log_on(setting.connection.name, WRONG)
        assert WRONG.reveal() not in with_locals(raised.value)


def the_file(reached: ReachedPoint) -> Lying:
    (lying,) = reached.files("ddr.box")
    return lying
