"""Packages as files: built by wixl, and read by msiinfo, which knows nothing of ours."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from keyturn.contracts.promises import NOT_PROMISED
from keyturn.distribution.msi.scope import Scope

SHARED = Path(__file__).parents[2] / "shared" / "data" / "msi"
"""Installer files of other projects' test suites, with labels; beside the checkout, and not everywhere."""

_SOURCE = """\
<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Name="Probe" Id="{{11111111-2222-4333-8444-000000000001}}"
   UpgradeCode="{{11111111-2222-4334-8444-000000000001}}" Language="1033" Version="1.0.0" Manufacturer="Keyturn">
  <Package {scope} InstallerVersion="500"/>
  {properties}
  <Directory Id="TARGETDIR" Name="SourceDir">
   <Directory Id="{folder}"><Directory Id="INSTALLDIR" Name="Probe">
    <Component Id="Probe" Guid="{{11111111-2222-4335-8444-000000000001}}">
     <RegistryValue Root="{root}" Key="Software\\Probe" Name="x" Type="string" Value="1" KeyPath="yes"/>
     {component}
    </Component>
   </Directory></Directory>
  </Directory>
  {product}
  <Feature Id="Probe" Level="1"><ComponentRef Id="Probe"/></Feature>
 </Product>
</Wix>
"""

SERVICE = '<ServiceInstall Id="svc" Name="svc" Type="ownProcess" Start="auto" ErrorControl="normal"/>'
SETS_ALLUSERS = """
  <CustomAction Id="SetScope" Property="ALLUSERS" Value="1"/>
  <InstallExecuteSequence>
    <Custom Action="SetScope" Before="LaunchConditions">{condition}</Custom>
  </InstallExecuteSequence>
"""

CLASSES: dict[Scope, tuple[str, Mapping[str, str]]] = {
    Scope.PER_MACHINE: ('InstallScope="perMachine"', {}),
    Scope.PER_USER: ('InstallScope="perUser"', {}),
    Scope.DUAL: ("", {"ALLUSERS": "2", "MSIINSTALLPERUSER": "1"}),
    Scope.DUAL_MACHINE: ("", {"ALLUSERS": "2"}),
    Scope.UNSCOPED: ("", {}),
}
"""What wixl is told to make a package of each class: an attribute, and properties."""


def build(
    file: Path,
    scope: Scope,
    *,
    folder: str = "ProgramFilesFolder",
    root: str = "HKLM",
    component: str = "",
    product: str = "",
    **more: str,
) -> Path:
    """Writes `file`; `more` are properties."""
    need("wixl", "msiinfo")
    attribute, properties = CLASSES[scope]
    lines = "".join(f'<Property Id="{name}" Value="{value}"/>' for name, value in {**properties, **more}.items())
    source = file.with_suffix(".wxs")
    source.write_text(
        _SOURCE.format(
            scope=attribute, properties=lines, folder=folder, root=root, component=component, product=product
        )
    )
    subprocess.run(["wixl", "-o", str(file), str(source)], check=True, capture_output=True)
    return file


def exported(file: Path, table: str) -> list[dict[str, str]]:
    """The rows of a table as msiinfo has them."""
    return _exported(file, table)[1]


def types_of(file: Path, table: str) -> dict[str, str]:
    """`s72`, `L0`, `i2`, `V0`: string, localizable, number, stream; capitals may be empty."""
    return _exported(file, table)[0]


def _exported(file: Path, table: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    with tempfile.TemporaryDirectory() as folder:  # where it leaves the streams of a table's rows
        command = ["msiinfo", "export", str(file.absolute()), table]
        done = subprocess.run(command, check=True, capture_output=True, cwd=folder)
    heads, types, _, *lines = done.stdout.decode().removesuffix("\r\n").split("\r\n")
    names = heads.split("\t")
    rows = (row.split("\t") for row in _whole(lines, len(names)))
    return dict(zip(names, types.split("\t"), strict=True)), [dict(zip(names, row, strict=True)) for row in rows]


def _whole(lines: Iterable[str], columns: int) -> Iterator[str]:
    """msiinfo leaves line ends within a value as they are."""
    row = ""
    for line in lines:
        row += line
        if row.count("\t") == columns - 1:
            yield row
            row = ""
        else:
            row += "\r\n"


def tables_of(file: Path) -> list[str]:
    done = subprocess.run(["msiinfo", "tables", str(file)], check=True, capture_output=True, text=True)
    return [name for name in done.stdout.split() if not name.startswith("_")]


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt-get install msitools wixl)")


def shared_packages() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"{NOT_PROMISED}: ../shared/data/msi, labelled packages beside the checkout, is not there")
    return SHARED
