"""Every use case with a secret in flight, broken at every call it makes: no traceback tells one, locals and all.

Whatever a person or the site would choose is a canary: passwords, passphrases, tokens, and each password generated.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from keyturn.model.secret import Secret
from keyturn.operations import access, accounts, clients, people, plans
from keyturn.operations.parts import Parts
from keyturn.operations.ports import Person, PersonRole
from tests.estates import INSTALLATION, account
from tests.inner_site import RECIPIENT, InnerSite, check_in, site_in
from tests.secrets.breaking import Fault, breaking, with_locals
from tests.secrets.canary import Canaries

ESTATE = INSTALLATION + account("KtClient", "client-connection-additional")
INSTALL, CLIENT = "CORP\\KtInstall", "CORP\\KtClient"
MACHINE = "PC-0001"


@dataclass(frozen=True)
class Secrets:
    """The canaries by what they are for; each fits where it goes."""

    live: Secret
    given: Secret
    wrong: Secret
    passphrase: Secret
    generated: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Scene:
    site: InnerSite
    secrets: Secrets


UseCase = Callable[[Parts, Scene], object]


def adopt(parts: Parts, scene: Scene) -> object:
    return accounts.adopt(parts, INSTALL, scene.secrets.live, by="olga")


def adopt_with_a_wrong_password(parts: Parts, scene: Scene) -> object:
    return accounts.adopt(parts, INSTALL, scene.secrets.wrong, by="olga")


def rotate_to_a_given_password(parts: Parts, scene: Scene) -> object:
    record = plans.propose_rotation(parts, INSTALL, by="olga", given=scene.secrets.given)
    plans.approve(parts, record.plan_id, by="paul")
    return plans.advance_plan(parts, record.plan_id, "worker")


def create(parts: Parts, scene: Scene) -> object:
    record = plans.propose_creation(parts, CLIENT, by="olga")
    plans.approve(parts, record.plan_id, by="paul")
    return plans.advance_plan(parts, record.plan_id, "worker")


def set_past_every_plan(parts: Parts, scene: Scene) -> object:
    tools = parts.realm_tools("CORP")
    found = next(one for one in tools.accounts() if one.name == "KtInstall")
    tools.set_password(found, scene.secrets.given)
    return found


def hand_out(parts: Parts, scene: Scene) -> object:
    return [check_in(parts, MACHINE, {}), clients.published(parts, MACHINE)]


def log_on(parts: Parts, scene: Scene) -> object:
    realm, machine = parts.access_realm("CORP"), parts.machine(MACHINE)
    return [
        access.log_on(parts.store, realm, INSTALL, secret, machine=machine, source=MACHINE, now=parts.now())
        for secret in (scene.secrets.live, scene.secrets.wrong)
    ]


def invite_and_enrol(parts: Parts, scene: Scene) -> object:
    token = clients.invite(parts, MACHINE, by="olga")
    return clients.enrol(parts, token, MACHINE, bytes(32), RECIPIENT)


def let_somebody_in(parts: Parts, scene: Scene) -> object:
    people.add(parts, Person("eve", frozenset(PersonRole)), scene.secrets.passphrase, by="olga")
    return people.bearer(parts, people.log_in(parts, "eve", scene.secrets.passphrase))


USE_CASES: tuple[UseCase, ...] = (
    adopt,
    adopt_with_a_wrong_password,
    rotate_to_a_given_password,
    create,
    set_past_every_plan,
    hand_out,
    log_on,
    invite_and_enrol,
    let_somebody_in,
)


@pytest.fixture
def secrets(canaries: Canaries) -> Secrets:
    def plant(name: str, length: int = 14) -> str:
        return canaries.plant(name, length)

    return Secrets(
        live=Secret(plant("the live password")),
        given=Secret(plant("the password handed in")),
        wrong=Secret(plant("a wrong password")),
        passphrase=Secret(plant("a passphrase", 24)),
        generated=plant("a generated password"),
        token=plant("a token", 43),
    )


@pytest.fixture
def prepared(tmp_path: Path, secrets: Secrets) -> Path:
    """A site on disk with an account whose live password is a canary, offered to a machine."""
    folder = tmp_path / "prepared"
    folder.mkdir()
    site = opened(folder, secrets)
    record = plans.propose_creation(site.parts, INSTALL, by="olga", given=secrets.live)
    plans.approve(site.parts, record.plan_id, by="paul")
    assert site.run(record.plan_id).state == "done"
    site.enrol(MACHINE)
    site.close()
    return folder


def opened(folder: Path, secrets: Secrets) -> InnerSite:
    """On it every password that is generated, and every token, is the same canary."""
    drawn = count()

    def choose(characters: str) -> str:
        return secrets.generated[next(drawn) % len(secrets.generated)]

    return site_in(folder, ESTATE, wrap=lambda parts: replace(parts, choose=choose, token=lambda: secrets.token))


@pytest.mark.parametrize("use_case", USE_CASES, ids=lambda use_case: use_case.__name__)
def test_a_traceback_from_anywhere_inside_tells_no_secret(
    use_case: UseCase, prepared: Path, tmp_path: Path, secrets: Secrets, canaries: Canaries
) -> None:
    told: dict[str, str] = {}
    for number in count(1):
        folder = shutil.copytree(prepared, tmp_path / str(number))
        fault = Fault(number)
        told[f"call {number}"] = told_by(use_case, Scene(opened(folder, secrets), secrets), fault)
        if not fault.struck:
            break
    assert sum("tests.secrets.breaking.Broken" in text for text in told.values()) > 1, "nothing broke"
    canaries.nothing_leaked([], told)


def told_by(use_case: UseCase, scene: Scene, fault: Fault) -> str:
    """The traceback with the locals of our frames; empty when nothing was raised."""
    try:
        use_case(breaking(scene.site, fault), scene)
    except Exception as error:
        return with_locals(error)
    finally:
        scene.site.close()
    return ""
