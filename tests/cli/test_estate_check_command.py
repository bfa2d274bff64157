"""What can be said of an estate file without a server."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from keyturn.cli.estate import estate


@pytest.mark.parametrize(
    ("kind", "told"), [("local", ""), ("activedirectory", "whether a plug-in brings activedirectory")]
)
def test_a_kind_that_only_the_site_may_know_is_pointed_out(tmp_path: Path, kind: str, told: str) -> None:
    file = tmp_path / "estate.toml"
    file.write_text(f'[[realm]]\nname = "ACME"\nkind = "{kind}"\n')
    run = CliRunner().invoke(estate, ["check", str(file)])
    assert run.exit_code == 0
    assert "1 realms, 0 accounts" in run.stdout
    assert run.stderr.startswith(told)
    assert bool(run.stderr) == bool(told)
