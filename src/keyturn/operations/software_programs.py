"""Programs of packages: what is run, when, and with whose rights."""

from dataclasses import dataclass, replace

from keyturn.distribution.authored import Authored
from keyturn.distribution.authoring import findings_of_advertisement
from keyturn.distribution.findings import Finding
from keyturn.distribution.line_secrets import masked
from keyturn.distribution.program_rules import findings_of_program
from keyturn.model.accounts import same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.software import PackageId, Program, ProgramName
from keyturn.operations.parts import Parts
from keyturn.operations.software_changes import changing, live, refuse_unfit
from keyturn.operations.software_msi import judge
from keyturn.operations.software_owner import refuse_from_above
from keyturn.operations.software_reading import authored


@dataclass(frozen=True, slots=True)
class Taken:
    program: Program
    warnings: tuple[Finding, ...]


def add(parts: Parts, wanted: Program, *, replacing: bool = False, by: str) -> Taken:
    """Refused for properties that do not go together. `replacing`: in the place of the one that bears its name; what
    was agreed to with that one has to be agreed to with this."""
    with changing(parts, by=by):
        read = authored(parts.store)
        program = _named(parts, read, wanted)
        refuse_from_above(parts, f"package {program.package}", program.package, f"keyturn program add {program.ref}")
        there = program.ref in read.programs
        if there and not replacing:
            raise Refused(f"program {program.ref} is there already", hint="--replace puts this one in its place")
        if not there and replacing:
            raise NotFound(f"there is no program {program.ref} to replace", hint="leave --replace out")
        judged = judge(parts, program)
        program = judged.program
        findings = (*findings_of_program(program, read.programs), *judged.findings)
        refuse_unfit(f"program {program.ref}", findings)
        for each in live(parts):
            if each.advertisement.program == program.ref:
                about = f"program {program.ref}, as {each.advertisement.advertisement_id} advertises it"
                refuse_unfit(about, findings_of_advertisement(each.advertisement, program))
        parts.store.keep_program(program)
        kind = "program-changed" if there else "program-added"
        parts.store.tell(by, kind, str(program.ref), f"{program.rights}: {masked(program.command_line)}")
    return Taken(program, tuple(finding for finding in findings if not finding.refuses))


def remove(parts: Parts, ref: ProgramName, *, by: str) -> None:
    with changing(parts, by=by):
        program = parts.store.program(ref)
        refuse_from_above(parts, f"program {program.ref}", program.package, f"keyturn program remove {program.ref}")
        used = [str(p.ref) for p in parts.store.programs() if p.run_first == program.ref]
        used += [a.advertisement.advertisement_id for a in live(parts) if a.advertisement.program == program.ref]
        if used:
            raise Refused(f"program {program.ref} is in use: {', '.join(used)}", hint="keyturn advertisement cancel ID")
        parts.store.remove_program(program.ref)
        parts.store.tell(by, "program-removed", str(program.ref))


def _named(parts: Parts, read: Authored, wanted: Program) -> Program:
    """Under the names that its package, itself and what runs first bear already, however they were typed."""
    package_id = parts.store.package(wanted.package).package_id
    first = wanted.run_first
    return replace(
        wanted,
        package=package_id,
        name=_known(read, ProgramName(package_id, wanted.name)).name,
        run_first=_known(read, replace(first, package=PackageId(first.package.upper()))) if first else None,
    )


def _known(read: Authored, ref: ProgramName) -> ProgramName:
    return next((each for each in read.programs if each.package == ref.package and same_name(each.name, ref.name)), ref)
