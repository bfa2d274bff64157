"""What exit codes, status MIFs and access lines come to."""

from pathlib import Path

import pytest

from keyturn.distribution.accesses import Access
from keyturn.distribution.causes import _ANSWERS, EXPLANATIONS, Cause, cause_of_access, in_words
from keyturn.distribution.exit_codes import CREDENTIAL_CODES, LONGEST_RETRY_S, RETRY_CODES, Verdict, next_try_s, verdict
from keyturn.distribution.shares import is_point, reached_by, share_of
from keyturn.distribution.status_mif import JobStatus, first_status, read_status_mif
from keyturn.model.logon import Answer
from keyturn.model.software import ClientKind, DistributionPoint, PackageId, Program

ADVANCED, LEGACY = ClientKind
OF_SMS_2003 = [
    4, 5, 8, 13, 14, 39, 51, 53, 54, 55, 59, 64, 65, 67, 70, 71, 85, 86, 87, 112, 128, 170, 267, 999, 1003, 1203, 1219,
    1220, 1222, 1231, 1232, 1238, 1265, 1311, 1323, 1326, 1330, 1618, 1622, 2250,
]  # fmt: skip


@pytest.mark.parametrize("code", OF_SMS_2003)
def test_what_sms_2003_tries_again_is_tried_again_unless_a_password_was_refused(code):
    credentials = code in (86, 1323, 1326, 1330)
    assert verdict(code, ADVANCED) is (Verdict.CREDENTIALS if credentials else Verdict.RETRY)


@pytest.mark.parametrize("code", [1326, 1327, 1330, 1331, 1907, 1909])
@pytest.mark.parametrize("kind", list(ClientKind))
def test_a_refused_password_is_never_tried_again(code, kind):
    assert verdict(code, kind) is Verdict.CREDENTIALS


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (0, ADVANCED, Verdict.SUCCESS),
        (3010, ADVANCED, Verdict.RESTART),
        (1641, ADVANCED, Verdict.RESTART),
        (1, ADVANCED, Verdict.FAILURE),
        (1603, ADVANCED, Verdict.FAILURE),
        (0, LEGACY, Verdict.SUCCESS),
        (3010, LEGACY, Verdict.FAILURE),
        (1618, LEGACY, Verdict.FAILURE),
    ],
)
def test_what_an_exit_code_says(code, kind, said):
    assert verdict(code, kind) is said


def test_a_program_may_have_codes_of_its_own_for_success():
    assert verdict(7, LEGACY, (0, 7)) is Verdict.SUCCESS
    assert verdict(0, ADVANCED, (7,)) is Verdict.FAILURE


def test_no_code_has_two_meanings():
    assert not RETRY_CODES & CREDENTIAL_CODES


def test_tries_come_ever_more_seldom():
    assert [next_try_s(tries) for tries in (1, 2, 3)] == [600, 1200, 2400]
    assert next_try_s(100_000) == LONGEST_RETRY_S


MIF = """Start Component
  Name = "Workstation"
  Start Group
    Name = "ComponentID"
    ID = 1
    Class = "DMTF|ComponentID|1.0"
    Start Attribute
      Name = "Status"
      Value = "Success"
    End Attribute
  End Group
  Start Group
    Name = "InstallStatus"
    ID = 2
    Class = "MICROSOFT|JOBSTATUS|1.0"
    Start Attribute
      Name = "Status"
      ID = 1
      Access = READ-ONLY
      Storage = SPECIFIC
      Type = String(32)
      Value = "{status}"
    End Attribute
    Start Attribute
      Name = "Description"
      ID = 2
      Value = "{description}"
    End Attribute
  End Group
End Component
"""


def mif(status: str, description: str = "") -> bytes:
    return MIF.format(status=status, description=description).encode()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (mif("Success", "all is well"), JobStatus(True, "all is well")),
        (mif("Failed", "no room"), JobStatus(False, "no room")),
        (mif("SUCCESS").replace(b"\n", b"\r\n"), JobStatus(True)),
        (mif("Perhaps"), None),
        (MIF.split('  Start Group\n    Name = "InstallStatus"', maxsplit=1)[0].encode(), None),
        (b"", None),
        (b"\xff\xfe\x00Start", None),
        (mif("Success") + b" " * 70_000, None),
        (mif("Failed", "kein Platz für é").decode().encode("cp1252"), JobStatus(False, "kein Platz für é")),
        (mif("Failed", "kein Platz für é"), JobStatus(False, "kein Platz für é")),
        (mif("Failed", "für").decode().encode("utf-8-sig"), JobStatus(False, "für")),
        (mif("Failed", "für").decode().encode("utf-16"), JobStatus(False, "für")),
        (mif("Failed", "für").decode().encode("utf-16-le"), JobStatus(False, "für")),
        (b"\xfe\xff" + mif("Failed", "für").decode().encode("utf-16-be"), JobStatus(False, "für")),
        (mif("Success").upper(), JobStatus(True)),
        (mif("Success").replace(b'"Success"', b'"Success" // as ever'), JobStatus(True)),
    ],
)
def test_what_a_status_mif_says(content, found):
    assert read_status_mif(content) == found


def test_of_several_the_newest_counts_that_is_a_status():
    assert first_status([mif("Failed", "the last word"), mif("Success")]) == JobStatus(False, "the last word")


def test_an_inventory_mif_is_no_status():
    inventory = b'Start Component\nStart Group\nName="x"\nClass="KEYTURN|DISK|1.0"\nEnd Group\nEnd Component\n'
    assert first_status([inventory, mif("Failed")]) == JobStatus(False)
    assert first_status([inventory]) is None


def access(answer: Answer | None, *, unc: str = r"\\fs1\apps", identity: str = "CORP\\naa", order: int = 1) -> Access:
    return Access(unc, identity, order, answer, 0 if answer is None else 0xC0000022, 0.01)


@pytest.mark.parametrize("answer", [answer for answer in Answer if answer is not Answer.ACCEPTED])
def test_every_answer_of_a_share_has_its_cause(answer):
    assert cause_of_access([access(answer)]) is _ANSWERS[answer]


@pytest.mark.parametrize(
    ("accesses", "cause"),
    [
        ([], None),
        ([access(Answer.ACCEPTED)], None),
        ([access(None)], Cause.HOST_UNREACHABLE),
        ([access(Answer.NO_SHARE_ACCESS), access(Answer.ACCEPTED, order=2)], None),
        ([access(Answer.ACCEPTED), access(Answer.NO_FILE_ACCESS, unc=r"\\FS1\apps\x.cab")], Cause.NO_FILE_ACCESS),
        ([access(Answer.ACCEPTED), access(Answer.LOCKED, unc=r"\\fs2\apps")], Cause.ACCOUNT_LOCKED),
    ],
)
def test_what_the_last_identity_was_told_counts(accesses, cause):
    assert cause_of_access(accesses) is cause


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_is_explained_with_a_way_out(cause):
    assert EXPLANATIONS[cause].text
    assert EXPLANATIONS[cause].remedy


def test_the_how_to_names_every_cause():
    page = Path(__file__).parent.parent.parent.joinpath("docs/how-to/when-a-program-does-not-run.md").read_text()
    assert [cause.value for cause in Cause if f"`{cause.value}`" not in page] == []


def test_the_line_says_access_denied_which_account_and_which_share():
    said = in_words(Cause.NO_SHARE_ACCESS, [access(Answer.NO_SHARE_ACCESS)])
    assert said.startswith("access denied")
    assert r"\\fs1\apps as CORP\naa" in said
    assert "0xc0000022" in said


@pytest.mark.parametrize(
    ("command_line", "shares", "reached"),
    [
        (r"./setup --from \\FS1\apps\office\data.cab", (), (r"\\FS1\apps",)),
        (r'sh x.sh "\\fs1\apps\a b" \\fs1\APPS\c', (), (r"\\FS1\APPS",)),
        (r"./x", (r"\\fs1\my share",), (r"\\fs1\my share",)),
        (r"./x \\fs1\a", (r"\\fs2\b", r"\\FS1\A"), (r"\\fs1\a", r"\\fs2\b")),
        (r"./x --re '\\d+\\w' http://fs1/x", (), ()),
        (r"./x --to=\\fs1\apps\x", (), (r"\\fs1\apps",)),
    ],
)
def test_which_shares_a_program_reaches(command_line, shares, reached):
    found = reached_by(Program(PackageId("PHX00001"), "install", command_line, shares=shares))
    assert [share.lower() for share in found] == [share.lower() for share in reached]


def test_a_share_is_a_distribution_point_whatever_its_case_and_folder():
    points = [DistributionPoint("DP1", r"\\dp1\SMSPKG$\content"), DistributionPoint("PHX", "/dp/v1")]
    assert is_point(r"\\DP1\smspkg$", points)
    assert not is_point(r"\\dp1\other", points)
    assert share_of("/dp/v1") == ""
