"""Programs of packages."""

from dataclasses import dataclass

from fastapi import APIRouter

from keyturn.model.software import PackageId, Program, ProgramName
from keyturn.operations import software_programs
from keyturn.operations.software_programs import Taken
from keyturn.server.rest.security import VIEWER, Operator, Site

router = APIRouter(tags=["software"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """`replacing`: in the place of the one that bears its name."""

    program: Program
    replacing: bool = False


@router.get("/programs", dependencies=[VIEWER])
def every(parts: Site, package: str = "") -> list[Program]:
    """All, or those of one package."""
    wanted = parts.store.package(PackageId(package)).package_id if package else None
    return [program for program in parts.store.programs() if wanted in (None, program.package)]


@router.post("/programs", status_code=201)
def add(parts: Site, person: Operator, wanted: Wanted) -> Taken:
    """A program, with what is to be known of it. Properties that do not go together are refused."""
    return software_programs.add(parts, wanted.program, replacing=wanted.replacing, by=person.name)


@router.get("/packages/{package_id}/programs/{name}", dependencies=[VIEWER])
def show(parts: Site, package_id: str, name: str) -> Program:
    return parts.store.program(ProgramName(PackageId(package_id), name))


@router.delete("/packages/{package_id}/programs/{name}", status_code=204)
def remove(parts: Site, person: Operator, package_id: str, name: str) -> None:
    """Refused while it is advertised, or runs before another one."""
    software_programs.remove(parts, ProgramName(PackageId(package_id), name), by=person.name)
