"""Run on a node of the lab that has joined the domain, from a machine of a test's own: a legacy agent runs a program as
the token account and one as the Software Installation account, which reaches a share. What comes of them, as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import msgspec

from keyturn.adapters.runners.posix.runner import PosixRunner
from keyturn.model.software import ClientKind
from tests.policies import INSTALLER, NOW, offer, policy
from tests.posix_runs import left_of
from tests.story.agent_site import FIRST
from tests.story.software_site import SoftwareMachine, SoftwareSite


def main(file: str, to: str) -> None:
    """The installer's password comes on standard input."""
    password = sys.stdin.readline().strip()
    with tempfile.TemporaryDirectory() as folder:
        site = SoftwareSite()
        site.clock.now = NOW
        runs = Path(folder) / "agent" / "software" / "runs"
        agent = SoftwareMachine(site, Path(folder) / "agent", runner=PosixRunner(runs))  # type: ignore[arg-type]
        agent.enrol()
        installation = agent.home.installation()
        agent.home.keep_installation(msgspec.structs.replace(installation, kind=ClientKind.LEGACY))
        for account, secret in ((FIRST, "the password"), (INSTALLER, password)):
            site.realm.set_password(account, secret)
            site.publish(account, 1, secret)
        by_token = offer(1, command_line="id -u")
        by_installer = offer(2, command_line=f'cp "{file}" "{to}"', software_installation_account=True)
        site.offer(policy(by_token, by_installer, kind=ClientKind.LEGACY))
        for _ in range(2):
            agent.once()
        reports = {
            report.advertisement: [
                report.state,
                report.cause,
                report.reason,
                report.executed_as,
                report.login,
                [[access.unc, access.identity, access.answer] for access in report.accesses],
            ]
            for report in site.left
        }
        print(json.dumps({"reports": reports, "log": agent.log("SMSAPM32"), "left": left_of(runs)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
