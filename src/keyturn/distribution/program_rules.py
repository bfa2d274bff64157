"""Which properties of a program go together.

From the console of SMS 2003 and Q263279 (the Software Installation account). A finding that refuses says why it could
never run as it is written; one that warns, what a client may make of it.
"""

import re
import shlex
from collections.abc import Mapping

from keyturn.distribution.findings import LONGEST_LINE, Finding, Rule, found, is_line, warning
from keyturn.distribution.installed_package import could_be_installed
from keyturn.distribution.line_secrets import holds_a_secret
from keyturn.distribution.shares import reached_by, share_of
from keyturn.model.names import LONGEST_NAME, is_name
from keyturn.model.software import (
    Afterwards,
    Detection,
    DetectionKind,
    LoggedOn,
    Program,
    ProgramName,
    Rights,
)

LONGEST_RUN_S = 7 * 86400.0


def findings_of_program(program: Program, programs: Mapping[ProgramName, Program]) -> tuple[Finding, ...]:
    """`programs` are all the others of the site, which it may run first."""
    return (*found(PROGRAM_RULES, program), *_found_in_order(program, programs))


def _by_user(program: Program) -> bool:
    return program.rights is Rights.USER


def _is_detection(detection: Detection) -> bool:
    if not is_line(detection.subject, LONGEST_LINE):
        return False
    if detection.kind is DetectionKind.FILE:
        return not detection.value or re.fullmatch(r"[0-9a-fA-F]{64}", detection.value) is not None
    return detection.kind is DetectionKind.PACKAGE or not detection.value


def _is_package(detection: Detection) -> bool:
    return detection.kind is not DetectionKind.PACKAGE or could_be_installed(detection.subject, detection.value)


def _lies_nowhere(detection: Detection) -> bool:
    """A file whose path depends on where the agent happens to work, or on a shell's `~name`."""
    return detection.kind is DetectionKind.FILE and _FROM_A_ROOT.match(detection.subject) is None


def _lines(program: Program) -> tuple[str, ...]:
    """What is read as a command line."""
    commands = (rule.subject for rule in program.detection if rule.kind is DetectionKind.COMMAND)
    return (program.command_line, *commands)


def _is_unread(program: Program) -> bool:
    """Not asked where it names a share: what ends in a backslash there becomes a path first."""
    if reached_by(program):
        return False
    try:
        return not all(map(shlex.split, _lines(program)))
    except ValueError:
        return True


_FROM_A_ROOT = re.compile(r"/|~[/\\]|[A-Za-z]:[/\\]|\\\\")

PROGRAM_RULES: tuple[Rule[Program], ...] = (
    (
        lambda p: not is_name(p.name),
        Finding("name", f"a program's name has 1 to {LONGEST_NAME} printable characters, none of them a slash"),
    ),
    (
        lambda p: not is_line(p.command_line, LONGEST_LINE),
        Finding("command-line", f"a command line is one printable line of 1 to {LONGEST_LINE} characters"),
    ),
    (
        lambda p: _by_user(p) and p.logged_on is LoggedOn.NO_USER,
        Finding(
            "user-rights-without-a-user",
            "it is to run with a user's rights, and only while no user is logged on",
            hint="--rights administrative, or --logged-on only-when-a-user-is-logged-on",
        ),
    ),
    (
        lambda p: _by_user(p) and p.logged_on is LoggedOn.WHETHER_OR_NOT,
        Finding(
            "administrative-is-implied",
            "what runs whether or not a user is logged on runs with administrative rights",
            hint="--rights administrative, or --logged-on only-when-a-user-is-logged-on",
        ),
    ),
    (
        lambda p: p.every_user and p.logged_on is not LoggedOn.USER_LOGGED_ON,
        Finding(
            "every-user-needs-a-user",
            "what runs once for every user runs only while a user is logged on",
            hint="--logged-on only-when-a-user-is-logged-on",
        ),
    ),
    (
        lambda p: p.logged_on is LoggedOn.NO_USER and not p.unattended,
        Finding("nobody-attends", "it asks for input, and nobody is logged on when it runs", hint="--unattended"),
    ),
    (
        lambda p: p.logged_on is LoggedOn.NO_USER and p.afterwards is Afterwards.LOGS_OFF,
        Finding("nobody-to-log-off", "it is to log the user off, and nobody is logged on when it runs"),
    ),
    (
        lambda p: p.software_installation_account and _by_user(p),
        Finding(
            "installer-is-administrative",
            "the Software Installation account runs programs with administrative rights",
            hint="--rights administrative",
        ),
    ),
    (
        lambda p: p.software_installation_account and p.logged_on is LoggedOn.USER_LOGGED_ON,
        Finding(
            "installer-needs-no-user",
            "the Software Installation account runs programs whether or not, or only when no, user is logged on",
            hint="--logged-on whether-or-not-a-user-is-logged-on (Q263279)",
        ),
    ),
    (
        lambda p: p.software_installation_account and not p.unattended,
        Finding(
            "installer-is-unattended",
            "what the Software Installation account runs asks nobody for input",
            hint="--unattended (Q263279)",
        ),
    ),
    (
        lambda p: p.software_installation_account and bool(p.drive),
        Finding(
            "installer-runs-by-unc",
            "the Software Installation account has no drive letters: the program runs by its UNC name",
            hint="leave --drive out (Q263279)",
        ),
    ),
    (
        lambda p: p.software_installation_account,
        warning(
            "installer-in-a-global-group",
            "on Windows the Software Installation account is a member of at least one global group (Q263279)",
        ),
    ),
    (
        lambda p: bool(p.drive) and re.fullmatch(r"\*|[D-Zd-z]:", p.drive) is None,
        Finding("drive", "a drive is `*` for any, or a letter from D: to Z:", hint="--drive S:"),
    ),
    (
        lambda p: bool(p.drive) and not _by_user(p) and p.logged_on is not LoggedOn.USER_LOGGED_ON,
        warning("drive-of-nobody", "a drive letter is the session's of whom it runs for; prefer the UNC name"),
    ),
    (
        lambda p: p.max_run_s is not None and not 0 < p.max_run_s <= LONGEST_RUN_S,
        Finding(
            "max-run",
            f"a maximum run time is more than 0 and at most {LONGEST_RUN_S / 86400:.0f} days",
            hint="--max-run",
        ),
    ),
    (
        lambda p: not p.success_codes or any(not 0 <= code <= 0xFFFFFFFF for code in p.success_codes),
        Finding("success-codes", "exit codes that mean success are whole numbers from 0 to 4294967295, at least one"),
    ),
    (
        lambda p: any(share_of(share).lower() != share.lower() for share in p.shares),
        Finding("shares", r"a share is written \\host\share", hint="folders below it are reached with it"),
    ),
    (
        lambda p: not all(map(_is_detection, p.detection)),
        Finding(
            "detection",
            "a detection rule names a file (with its SHA-256, where that matters), a package or a command line",
            hint="--detect-file, --detect-package, --detect-command",
        ),
    ),
    (
        lambda p: any(map(_lies_nowhere, p.detection)),
        Finding(
            "detection-from-a-root",
            "a file that is looked for is named from the root, or from the home of whom it is for",
            hint="--detect-file /opt/editor/bin/editor, or ~/.local/bin/editor",
        ),
    ),
    (
        lambda p: not all(map(_is_package, p.detection)),
        Finding(
            "detection-package",
            "a package that is looked for has a name and a version as dpkg and rpm write them",
            hint="--detect-package editor, editor=2.0-1, or editor>=2.0",
        ),
    ),
    (
        lambda p: not p.detection,
        warning("no-detection", "nothing shows whether it did its work, except what it says itself", "--detect-file"),
    ),
    (
        lambda p: any(map(holds_a_secret, _lines(p))),
        warning(
            "secret-in-command-line",
            "a password seems to stand in the command line: clients, every process of a run, and whoever may look at "
            "programs here read it",
            hint="have the program read it from a file that the machine has",
        ),
    ),
    (
        _is_unread,
        warning(
            "command-line-unread",
            "clients on Linux cannot take this line apart: a quote is not closed, or nothing follows a backslash",
            hint="close the quote, or put the character between other quotes",
        ),
    ),
    (
        lambda p: p.rights is Rights.ADMINISTRATIVE and not p.software_installation_account and bool(reached_by(p)),
        warning(
            "shares-of-legacy-clients",
            "unless they are distribution points, legacy clients reach the shares it names with the Software "
            "Installation account alone",
            hint="--software-installation-account",
        ),
    ),
)


def _found_in_order(program: Program, programs: Mapping[ProgramName, Program]) -> tuple[Finding, ...]:
    """What runs before it is there, and does not lead back to it."""
    met = [program.ref]
    following = program.run_first
    while following is not None:
        if following in met:
            way = " → ".join(str(each) for each in (*met, following))
            return (Finding("run-first-cycle", f"one would run before itself: {way}", hint="leave --run-first out"),)
        if following not in programs:
            return (Finding("run-first", f"there is no program {following} to run first", hint="keyturn program list"),)
        met.append(following)
        following = programs[following].run_first
    return ()
