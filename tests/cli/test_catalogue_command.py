"""`keyturn catalogue`: the published JSON shape, and what people see in 80 columns."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from keyturn.cli.catalogue import catalogue
from keyturn.model.errors import NotFound

PRODUCTS = ("sms2003", "configmgr", "generic")

KEYS = [
    "role",
    "title",
    "name_pattern",
    "password_created_by",
    "manual_change",
    "methods",
    "site_reset",
    "second_account_when",
    "source",
]
PARTS = {"operating-system", "sql-server", "site-reset", "console", "sms", "client-reinstall"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(catalogue, arguments, env={"COLUMNS": "80"})


def listed(*arguments: str) -> list[dict[str, Any]]:
    result = run("--json", *arguments)
    assert result.exit_code == 0
    found: list[dict[str, Any]] = json.loads(result.stdout)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(("product", "count"), [("sms2003", 17), ("configmgr", 24), ("generic", 4)])
def test_the_json_is_a_list_of_objects_with_exactly_the_published_keys_and_words(product: str, count: int) -> None:
    found = listed("--product", product)
    assert len(found) == count
    for one in found:
        assert list(one) == KEYS
        assert all(isinstance(one[key], str) and one[key] for key in ("role", "title", "source"))
        assert one["name_pattern"] is None or isinstance(one["name_pattern"], str)
        assert one["password_created_by"] in {"administrator", "random"}
        assert one["manual_change"] in {"yes", "not-recommended", "never"}
        assert all(method and set(method) <= PARTS for method in one["methods"])
        assert one["site_reset"] in {"regenerates", "keeps", "requires-setup-file"}
        assert set(one["second_account_when"]) <= {"always", "shared-by-sites", "secondary-site"}


def test_one_role_as_json_is_a_list_of_one() -> None:
    assert listed("service") == [
        {
            "role": "service",
            "title": "SMS Service",
            "name_pattern": None,
            "password_created_by": "administrator",
            "manual_change": "yes",
            "methods": [["operating-system", "site-reset"], ["operating-system", "console"]],
            "site_reset": "keeps",
            "second_account_when": ["shared-by-sites", "secondary-site"],
            "source": "Planning for SMS Account Lifecycles: Table 12.2; Managing the SMS Service Account",
        }
    ]


def test_sms_2003_is_shown_where_no_product_is_named() -> None:
    assert listed() == listed("--product", "sms2003")


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_table_names_every_role_whole_within_80_columns(product: str) -> None:
    lines = run("--product", product).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    first_words = {line.split(" ")[0] for line in lines}
    assert {one["role"] for one in listed("--product", product)} <= first_words


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_detail_view_stays_within_80_columns(product: str) -> None:
    for one in listed("--product", product):
        lines = run("--product", product, one["role"]).stdout.splitlines()
        assert max(map(len, lines)) <= 80
        assert any(line.startswith("guideline") for line in lines)


def test_the_table_gives_the_methods_in_words_and_in_their_order() -> None:
    lines = [" ".join(line.split()) for line in run().stdout.splitlines()]
    assert lines[1:4] == [
        "service yes OS, then site reset shared by",
        "or OS, then console sites",
        "secondary site",
    ]
    assert "site-address yes OS, then SMS" in lines


def test_one_role_is_shown_with_its_guideline_its_tool_and_its_source() -> None:
    shown = " ".join(run("server-connection").stdout.split())
    assert "name SMSServer_<site>" in shown
    assert "with setup file the reset needs the same file again" in shown
    assert "tool a site reset" in shown
    assert "guideline Leave it to the site; " in shown
    assert "source Planning for SMS Account Lifecycles: Table 12.2; Managing the Server Connection Account" in shown


def test_an_unknown_role_is_not_found_with_a_hint() -> None:
    error = run("--product", "generic", "servce").exception
    assert isinstance(error, NotFound)
    assert error.message == "no role servce in the catalogue of generic"
    assert error.hint == "one of service, shared-service, database, local-administrator"


def test_an_unknown_product_is_wrong_usage() -> None:
    result = run("--product", "sms2")
    assert result.exit_code == 2
    assert "'sms2003', 'configmgr', 'generic'" in result.stderr
