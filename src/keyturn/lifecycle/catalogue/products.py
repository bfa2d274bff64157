"""Looking a role up: the catalogues by product."""

from collections.abc import Mapping
from types import MappingProxyType

from keyturn.lifecycle.catalogue import configmgr, generic, sms2003
from keyturn.lifecycle.catalogue.rules import CatalogueRow
from keyturn.model.accounts import RoleName
from keyturn.model.errors import NotFound

PRODUCTS: Mapping[str, tuple[CatalogueRow, ...]] = MappingProxyType(
    {"sms2003": sms2003.ROWS, "configmgr": configmgr.ROWS, "generic": generic.ROWS}
)


def row(role: RoleName) -> CatalogueRow:
    """NotFound for a product or a slug that no catalogue has; the hint lists those that exist."""
    product, _, slug = role.partition("/")
    known = rows(product)
    for candidate in known:
        if candidate.role == slug:
            return candidate
    raise NotFound(
        f"no role {slug} in the catalogue of {product}", hint="one of " + ", ".join(other.role for other in known)
    )


def rows(product: str) -> tuple[CatalogueRow, ...]:
    """In the order of the product's documentation. NotFound for a product without a catalogue."""
    if product not in PRODUCTS:
        raise NotFound(f"no catalogue of {product}", hint="one of " + ", ".join(PRODUCTS))
    return PRODUCTS[product]


def role_names() -> frozenset[RoleName]:
    """Every `product/slug`."""
    return frozenset(RoleName(f"{product}/{row.role}") for product, table in PRODUCTS.items() for row in table)
