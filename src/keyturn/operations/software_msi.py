"""The verdict on programs that call msiexec, made from the package's own content when they are authored."""

from dataclasses import dataclass, replace

from keyturn.distribution.findings import Finding, warning
from keyturn.distribution.msi.context import Context
from keyturn.distribution.msi.gate import OpenPackage, ProgramVerdict, verdict_of_program
from keyturn.distribution.msi.package import Package as MsiPackage
from keyturn.distribution.msi.verdict import Verdict
from keyturn.model.errors import NotFound, Refused
from keyturn.model.software import Manifest, PackageId, Program, Rights
from keyturn.operations.content import content_of, current
from keyturn.operations.parts import Parts


@dataclass(frozen=True, slots=True)
class Judged:
    """`program` with the properties that it needs to end where it should."""

    program: Program
    findings: tuple[Finding, ...] = ()


def judge(parts: Parts, program: Program) -> Judged:
    """As Local System where it is administrative: nobody finds what lands in that profile, nor in those of the other
    accounts that run administrative programs. Refused for a command line or a package that cannot be read."""
    if "msiexec" not in program.command_line.casefold():
        return Judged(program)
    context = Context.USER if program.rights is Rights.USER else Context.LOCAL_SYSTEM
    try:
        found = verdict_of_program(program.command_line, context, _opening(parts, program.package))
    except NotFound as error:
        text = f"where it ends is not known: {error.message}"
        return Judged(program, (warning("msi-not-judged", text, error.hint),))
    if found is None:
        return Judged(program)
    return Judged(replace(program, command_line=found.command_line), _findings(found, context))


def _opening(parts: Parts, package_id: PackageId) -> OpenPackage:
    def open_package(name: str, transforms: tuple[str, ...]) -> MsiPackage:
        manifest = current(parts, parts.store.package(package_id))
        if manifest is None:
            raise NotFound(f"the source of {package_id} was not read yet", hint=f"keyturn package update {package_id}")
        places = {_place(parts, manifest, one): one for one in (name, *transforms)}
        package, *others = places
        try:
            return parts.open_msi(package, tuple(others))
        except Refused as error:
            said = error.message
            for place, written in places.items():
                said = said.replace(place, written)
            raise Refused(said, error.hint) from None

    return open_package


def _place(parts: Parts, manifest: Manifest, name: str) -> str:
    """Where the site keeps the file of that name, as Windows compares names."""
    wanted = name.replace("\\", "/").removeprefix("./").casefold()
    for file in manifest.files:
        if file.path.casefold() == wanted:
            return content_of(parts).blobs.place(file.sha256)
    raise NotFound(f"{name} is not in version {manifest.version} of package {manifest.package}")


def _findings(found: ProgramVerdict, context: Context) -> tuple[Finding, ...]:
    judgement = found.judgement
    why = "; ".join(one.text for one in judgement.findings if one.table in _ON_SCOPE)
    because = f": {why}" if why else ""
    ends = f"as {context} it ends {judgement.result_scope}, in the profile of {judgement.whose_profile}{because}"
    match judgement.verdict:
        case Verdict.ALLOW:
            return ()
        case Verdict.REWRITE:
            added = " ".join(f"{name}={value or chr(34) * 2}" for name, value in judgement.rewrite.items())
            return (warning("msi-rewrite", f"{ends}. {added} is added to the command line"),)
        case Verdict.CONDITIONAL:
            return (warning("msi-conditional", f"the package decides when it runs where it ends{because}"),)
        case Verdict.REFUSE:
            return (Finding("msi-refuse", f"{ends}. No property that its author provided helps", _HINTS[context]),)


_ON_SCOPE = ("Property", "_SummaryInformation")

_HINTS = {
    Context.LOCAL_SYSTEM: "--rights user --logged-on only-when-a-user-is-logged-on",
    Context.USER: "--rights administrative",
}
