"""What a site control file takes from the estate, at first and whenever the estate has changed."""

from collections.abc import Iterator, Mapping

from keyturn.model.accounts import canonical, same_name
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, Site, SiteCode, SiteSystem
from keyturn.site.control.catalogue import FIXED, PROPERTIES, Owner, Section
from keyturn.site.control.deltas import Operation, Remove, RemoveItem, Set
from keyturn.site.control.document import Item, Path, SiteControl, in_order


def first_document(estate: Estate, code: SiteCode) -> SiteControl:
    """Serial 0. NotFound for a site that is not in the estate."""
    return SiteControl(code, 0, in_order([*of_estate(estate, code), *fixed_items()]))


def following(document: SiteControl, estate: Estate) -> tuple[Operation, ...]:
    """What brings the estate's part of the document to what the estate says now; nothing if it says so already."""
    known = document.by_key()
    wanted = {item.key: item for item in of_estate(estate, document.site)}
    return (
        *(RemoveItem(item.section, item.name) for key, item in known.items() if key not in wanted and _theirs(item)),
        *(operation for key, item in wanted.items() for operation in _changes(known.get(key), item)),
    )


def following_hierarchy(document: SiteControl, urls: Mapping[SiteCode, str]) -> tuple[Operation, ...]:
    """The same for the neighbours that have joined, by code. An address that says no more than that goes with them."""
    operations: list[Operation] = []
    known = {canonical(item.name): item for item in document.of(Section.ADDRESS)}
    for code, url in urls.items():
        item = known.get(canonical(code))
        if item is None or item.get("url") != url:
            operations.append(Set(Path(Section.ADDRESS, code, "url"), url))
    joined = {canonical(code) for code in urls}
    for name, item in known.items():
        if name not in joined and item.get("url") != "":
            path = Path(Section.ADDRESS, item.name, "url")
            operations.append(Remove(path) if len(item.properties) > 1 else RemoveItem(Section.ADDRESS, item.name))
    return tuple(operations)


def missing_items(document: SiteControl) -> tuple[Operation, ...]:
    """What every site has, and a document of an earlier release has not."""
    known = document.by_key()
    return tuple(
        Set(Path(item.section, item.name, name), value)
        for item in fixed_items()
        if item.key not in known
        for name, value in item.properties
    )


def of_estate(estate: Estate, code: SiteCode) -> Iterator[Item]:
    site = estate.site(code)
    yield _site(site)
    yield from (_account(managed) for managed in estate.accounts if _is_of(managed, site))
    for system in estate.systems:
        if same_name(system.site, code):
            yield from _in_roles(system)


def fixed_items() -> Iterator[Item]:
    for section, names in FIXED.items():
        defaults = tuple((known.name, known.default) for known in PROPERTIES[section] if known.default)
        yield from (Item(section, name, defaults) for name in names)


def _site(site: Site) -> Item:
    said = {
        "name": site.name,
        "server": site.server,
        "kind": str(site.kind),
        "parent": site.parent or "",
        "realm": site.realm,
        "logon-installation": _switch(site.logon_installation),
        "setup-file": _switch(site.setup_file),
    }
    return Item(Section.SITE, site.code, tuple((name, text) for name, text in said.items() if text))


def _account(managed: ManagedAccount) -> Item:
    generation = () if managed.generation is None else (("generation", str(managed.generation)),)
    return Item(
        Section.ACCOUNT, str(managed.account), (("role", managed.role), *generation, ("life", str(managed.life)))
    )


def _is_of(managed: ManagedAccount, site: Site) -> bool:
    """A deleted account is nobody's. One that names no site serves every site of the estate."""
    here = not managed.sites or any(same_name(code, site.code) for code in managed.sites)
    return here and managed.life is not AccountLife.DELETED


def _in_roles(system: SiteSystem) -> Iterator[Item]:
    for role in system.roles:
        share = (("share", system.share),) if system.share else ()
        yield Item(Section.SYSTEM, f"{system.name}/{role}", share)


def _theirs(item: Item) -> bool:
    """Whether the section is all the estate's."""
    return all(known.owner is Owner.ESTATE for known in PROPERTIES[item.section])


def _changes(known: Item | None, wanted: Item) -> Iterator[Operation]:
    for declared in PROPERTIES[wanted.section]:
        if declared.owner is not Owner.ESTATE:
            continue
        path = Path(wanted.section, wanted.name, declared.name)
        value = wanted.get(declared.name)
        if value != (known.get(declared.name) if known else ""):
            yield Set(path, value) if value != "" else Remove(path)
    if known is None and not wanted.properties:
        yield Set(Path(wanted.section, wanted.name, PROPERTIES[wanted.section][0].name), "")


def _switch(on: bool) -> str:
    return "yes" if on else "no"
