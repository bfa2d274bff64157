"""The agent's look at its machine: places that name an account, and never what else stands there."""

import os
from pathlib import Path

import pytest

from keyturn.agent.scan import scan
from keyturn.agent.scan_files import LARGEST
from keyturn.model.logon import Answer
from keyturn.wire.evidence.reading import read_evidence
from keyturn.wire.evidence.sightings import add_up
from keyturn.wire.scan import Mention, Scan, Use, read_scan, write_scan

SECRET = "Maple7Rain-42x"


def written(top: Path, path: str, text: str) -> Path:
    file = top / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def looked(top: Path, *accounts: str) -> Scan:
    return scan(accounts or ("CORP\\svc-web",), machine="APP1", now=5.0, top=top)


def uses(top: Path) -> list[tuple[str, int, Use]]:
    return [(mention.path, mention.line, mention.use) for mention in looked(top).mentions]


@pytest.mark.parametrize(
    ("path", "text", "use"),
    [
        ("etc/systemd/system/web.service", "User=svc-web", Use.RUNS),
        ("usr/lib/systemd/system/web.service", "User = CORP\\svc-web", Use.RUNS),
        ("etc/systemd/system/web.service.d/who.conf", "User=svc-web", Use.RUNS),
        ("etc/cron.d/nightly", f"5 4 * * * svc-web /usr/bin/job -p {SECRET}", Use.RUNS),
        ("etc/crontab", "@daily svc-web /usr/bin/job", Use.RUNS),
        ("etc/fstab", f"//fs1/data /mnt cifs username=svc-web,password={SECRET} 0 0", Use.MOUNTS),
        ("etc/fstab", "//fs1/data /mnt cifs ro,user=CORP\\svc-web 0 0", Use.MOUNTS),
        ("etc/systemd/system/mnt.mount", "Options=ro,username=svc-web", Use.MOUNTS),
        ("etc/app.ini", "username = svc-web", Use.LOGS_ON),
        ("etc/app.json", '{"dbUser": "svc-web", "x": 1}', Use.LOGS_ON),
        ("etc/app.json", '{"user":"CORP\\\\svc-web"}', Use.LOGS_ON),
        ("srv/app/settings.toml", f'url = "postgresql://svc-web:{SECRET}@db/x"', Use.LOGS_ON),
        ("opt/app/etc/bind.conf", "bind_dn: SVC-WEB@corp.example", Use.LOGS_ON),
        ("etc/notes", "ask for svc-web", Use.NAMES),
        ("etc/app.ini", "; username = svc-web", Use.COMMENT),
        ("etc/app.ini", "  # svc-web", Use.COMMENT),
    ],
)
def test_a_place_is_told_with_what_the_account_is_there_for(tmp_path: Path, path: str, text: str, use: Use) -> None:
    written(tmp_path, path, f"\n{text}\n")
    assert uses(tmp_path) == [(f"/{path}", 2, use)]
    assert SECRET not in write_scan(looked(tmp_path))


@pytest.mark.parametrize(
    "text", ["svc-web2", "svc-website", "my-svc-web", "svc-web-old", "svc-web.service", "xsvc-web"]
)
def test_a_name_inside_another_one_is_not_it(tmp_path: Path, text: str) -> None:
    written(tmp_path, "etc/app.ini", f"user = {text}\n")
    assert uses(tmp_path) == []


def test_the_owner_of_a_crontab_is_named_by_its_file(tmp_path: Path) -> None:
    written(tmp_path, "var/spool/cron/crontabs/svc-web", "5 4 * * * /usr/bin/job\n")
    assert uses(tmp_path) == [("/var/spool/cron/crontabs/svc-web", 0, Use.RUNS)]


def test_files_that_units_and_mounts_name_are_read_wherever_they_lie(tmp_path: Path) -> None:
    written(
        tmp_path, "etc/systemd/system/web.service", "EnvironmentFile=-/run/secrets/env\nLoadCredential=a:/root/cred\n"
    )
    written(tmp_path, "etc/fstab", "//fs1/x /mnt cifs credentials=/root/smb,ro 0 0\n")
    for path in ("run/secrets/env", "root/cred", "root/smb"):
        written(tmp_path, path, f"USER=svc-web\nPASSWORD={SECRET}\n")
    found = {mention.path: mention.kind for mention in looked(tmp_path).mentions}
    assert found == {
        "/root/cred": "credential file",
        "/root/smb": "credential file",
        "/run/secrets/env": "environment file of a unit",
    }


def test_who_is_listed_on_the_machine_is_not_thereby_used(tmp_path: Path) -> None:
    for name in ("passwd", "passwd-", "shadow", "group"):
        written(tmp_path, f"etc/{name}", "svc-web:x:1:1::/:/bin/sh\n")
    assert uses(tmp_path) == []


def test_what_is_no_file_of_settings_is_passed_over_or_named(tmp_path: Path) -> None:
    written(tmp_path, "etc/binary", "user=svc-web\0")
    written(tmp_path, "elsewhere/secret.ini", "user=svc-web\n")
    (tmp_path / "etc/link.ini").symlink_to(tmp_path / "elsewhere/secret.ini")
    (tmp_path / "etc/loop").symlink_to(tmp_path / "etc")
    os.mkfifo(tmp_path / "etc/pipe")
    written(tmp_path, "etc/large", "user=svc-web\n" + "x" * LARGEST)
    found = looked(tmp_path)
    assert found.mentions == ()
    assert [(missed.path, missed.why) for missed in found.not_read] == [
        (str(tmp_path / "etc/large"), "larger than 1 MiB")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_a_file_is_read_in_whatever_letters_it_is_written(tmp_path: Path, encoding: str) -> None:
    written(tmp_path, "etc/app.ini", "").write_bytes("# Größe\nuser = svc-web\n".encode(encoding))
    assert uses(tmp_path) == [("/etc/app.ini", 2, Use.LOGS_ON)]


def test_many_accounts_are_told_apart(tmp_path: Path) -> None:
    written(tmp_path, "etc/app.ini", "user = svc-web\nuser = svc\nuser = svc-web,svc\n")
    found = [(mention.account, mention.line) for mention in looked(tmp_path, "svc", "CORP\\svc-web").mentions]
    assert found == [("CORP\\svc-web", 1), ("svc", 2), ("CORP\\svc-web", 3), ("svc", 3)]


def test_a_bare_name_that_two_realms_have_is_told_of_both(tmp_path: Path) -> None:
    written(tmp_path, "etc/app.ini", "user = svc-web\n")
    written(tmp_path, "var/spool/cron/crontabs/svc-web", "5 4 * * * /usr/bin/job\n")
    found = looked(tmp_path, "CORP\\svc-web", "LEDGER\\svc-web")
    assert [(mention.account, mention.path) for mention in found.mentions] == [
        ("CORP\\svc-web", "/etc/app.ini"),
        ("LEDGER\\svc-web", "/etc/app.ini"),
        ("CORP\\svc-web", "/var/spool/cron/crontabs/svc-web"),
        ("LEDGER\\svc-web", "/var/spool/cron/crontabs/svc-web"),
    ]
    evidence = read_evidence(write_scan(found).encode(), "scan.json")
    assert [(seen.domain, seen.times) for seen in add_up(evidence.sightings)] == [("CORP", 2), ("LEDGER", 2)]


def test_where_no_account_is_looked_for_none_is_found(tmp_path: Path) -> None:
    written(tmp_path, "etc/app.ini", "user = svc-web\n")
    assert scan((), machine="APP1", now=5.0, top=tmp_path).mentions == ()


# What is made of it on the site's side


def test_a_scan_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written(tmp_path, "etc/app.ini", "user = svc-web\n")
    found = looked(tmp_path)
    assert read_scan(write_scan(found)) == found


def test_a_scan_is_evidence_of_where_an_account_is_used_and_comments_are_none() -> None:
    mentions = (
        Mention("CORP\\svc-web", "/etc/a", 1, "configuration file", Use.LOGS_ON),
        Mention("CORP\\svc-web", "/etc/a", 2, "configuration file", Use.COMMENT),
    )
    text = write_scan(Scan(machine="APP1", at=5.0, accounts=("CORP\\svc-web",), files=1, mentions=mentions))
    evidence = read_evidence(text.encode(), "scan.json")
    [sighting] = evidence.sightings
    assert (sighting.domain, sighting.name, sighting.machine, sighting.how) == ("CORP", "svc-web", "APP1", "scan")
    assert sighting.answer is Answer.ACCEPTED
    assert sighting.place == "/etc/a:1 (configuration file, logs on as it)"
    assert (evidence.kind, evidence.skipped) == ("scan of a machine", 1)


@pytest.mark.parametrize("damage", ["", "}", '"machine": 3,', '"keyturn_scan": 2, '])
def test_a_damaged_scan_is_skipped_and_not_raised(damage: str) -> None:
    assert read_evidence(f'{{"keyturn_scan": 1, {damage} "at": 1'.encode(), "scan.json").sightings == ()
