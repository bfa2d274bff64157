"""Who of a large estate is asked, and in which order."""

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.holders import names_of_holders
from keyturn.model.estate import HolderKind
from keyturn.wire.estate_file.reading import read_estate
from tests.estates import ADDITIONAL

ELSEWHERE = """
[[site]]
code = "TUS"
realm = "CORP"
server = "SRV-TUS"

[[client_group]]
name = "LAP"
site = "PHX"
kind = "advanced"
count = 2
interval = "1 h"

[[client_group]]
name = "TUS-PC"
site = "TUS"
kind = "legacy"
count = 2
interval = "1 h"

[[client]]
name = "KIOSK"
site = "PHX"
kind = "legacy"
interval = "1 h"
"""


def test_an_account_of_one_site_is_held_by_the_clients_of_its_kind_there_in_the_estates_order() -> None:
    estate = read_estate(ADDITIONAL + ELSEWHERE, roles=role_names())
    account = estate.managed("KtClient")
    asked = [h.name for h in estate.all_clients() if h.kind is HolderKind.LEGACY_CLIENT and h.site in account.sites]
    assert list(names_of_holders(estate, account)) == asked == ["KIOSK", "PC-0001", "PC-0002", "PC-0003"]
