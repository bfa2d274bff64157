"""A site with an access point on a share, which is in memory."""

from dataclasses import replace

from keyturn.lifecycle.catalogue.products import role_names
from keyturn.model.accounts import AccountToBe, RealmName
from keyturn.model.secret import Secret
from keyturn.operations import accounts
from keyturn.operations.estates import import_estate
from keyturn.wire.estate_file.reading import read_estate
from tests.estates import account
from tests.inner_site import InnerSite
from tests.memory_access_point import MemoryAccessPoint

SYSTEM = r"""
[[site_system]]
name = "CAP1"
site = "PHX"
roles = ["client-access-point"]
share = '\\fs1.corp.example\cap'
"""
ROLES = {"SMSServer_PHX": "server-connection", "SMSService": "service"}
_SECRET = Secret("Turn-the-key-0001")


def with_access_point(site: InnerSite) -> str:
    text = site.store.text() + SYSTEM + "".join(account(name, role) for name, role in ROLES.items())
    import_estate(site.parts, text, read_estate(text, roles=role_names()), by="olga")
    for name in ROLES:
        site.realm().create(AccountToBe(RealmName("CORP"), name), _SECRET)
        accounts.adopt(site.parts, name, _SECRET, by="olga")
    point = MemoryAccessPoint(site.realm(), administrators={"SMSService"})
    site.parts = replace(site.parts, access_point=lambda share: point)
    return ""
