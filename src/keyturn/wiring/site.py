"""A site's directory, and the parts made from it."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from keyturn.adapters.site_files.layout import SiteFiles, existing
from keyturn.adapters.site_files.settings import SiteSettings, read_settings

if TYPE_CHECKING:
    from keyturn.adapters.links.https import HttpsLine
    from keyturn.adapters.links.receive_folder import ReceivedFiles
    from keyturn.adapters.site_files.custodians import Custodians
    from keyturn.adapters.store.login import StoreLogins
    from keyturn.adapters.store.seal_key import SealKey
    from keyturn.adapters.store.store import SqlStore
    from keyturn.cli.tools import Ask
    from keyturn.distribution.msi.package import Package as MsiPackage
    from keyturn.lifecycle.ports import Authority
    from keyturn.model.estate import Realm
    from keyturn.operations.content_ports import ContentParts, SharedFolder
    from keyturn.operations.inbox_ports import AccessPoint
    from keyturn.operations.parts import Parts


def opened(root: Path) -> tuple[SiteFiles, SiteSettings]:
    files = existing(root)
    return files, read_settings(files.settings.read_text())


def store_address(files: SiteFiles, settings: SiteSettings) -> str:
    return settings.store or f"sqlite:///{files.store}"


def store_logins(files: SiteFiles, address: str) -> "StoreLogins | None":
    """Reads the file at each call, so that the account and its password may change while the site runs."""
    from keyturn.adapters.store.login import StoreLogin

    file = files.store_password(address)
    return (lambda: StoreLogin.from_text(file.read_text())) if file.exists() else None


def seal_key(files: SiteFiles, settings: SiteSettings, ask: "Ask") -> "SealKey":
    from keyturn.adapters.store.seal_key import SealKey

    salt = settings.seal_salt
    return SealKey.from_passphrase(ask(), salt) if salt else SealKey.load(files.seal_key)


def assembled(
    files: SiteFiles, settings: SiteSettings, ask: "Ask", wake: Callable[[], None] = lambda: None
) -> tuple["Parts", "SqlStore"]:
    """The parts, and the store that is open in them, for whoever has to close it."""
    from keyturn.adapters.site_files.custodians import Custodians

    custodians = Custodians(files.settings, settings.custody)
    store = _open_store(files, settings, ask, custodians)
    return _parts(files, settings, store, custodians, wake), store


def _open_store(files: SiteFiles, settings: SiteSettings, ask: "Ask", custodians: "Custodians") -> "SqlStore":
    from keyturn.adapters.store.store import open_store
    from keyturn.escrow.envelope import seal

    address = store_address(files, settings)
    return open_store(
        address,
        seal_key=seal_key(files, settings, ask),
        envelope=lambda account, generation, secret: seal(
            account, generation, secret, custodians(), site=settings.operating.site
        ),
        now=time.time,
        new_id=_new_id,
        logins=store_logins(files, address),
    )


def _parts(
    files: SiteFiles, settings: SiteSettings, store: "SqlStore", custodians: "Custodians", wake: Callable[[], None]
) -> "Parts":
    from keyturn.adapters.authorities.builtin.site_realms import Access, SiteRealms, Toolbox
    from keyturn.adapters.authorities.kinds import kinds_of_realms
    from keyturn.adapters.authorities.pass_through import PassThrough
    from keyturn.adapters.authorities.reaching import Login
    from keyturn.adapters.authorities.realms import Realms, refuse_unreachable
    from keyturn.adapters.push.ssh_push import SshPush
    from keyturn.lifecycle.budgeted import Budgeted
    from keyturn.operations.delegation import Delegation
    from keyturn.operations.own_logins import own_login
    from keyturn.operations.parts import Parts
    from keyturn.operations.surveys import Discovery
    from keyturn.site.cards import Address
    from keyturn.wiring.machines import Machines

    builtin = SiteRealms(store.estate, files.realm, time.time)

    def login(realm: "Realm") -> Login:
        account, secret = own_login(store, realm)
        return Login(account.name, secret)

    realms = Realms(store.edition, store.estate, builtin, login)

    def budgeted(authority: "Authority") -> Budgeted:
        return Budgeted(authority, store, time.time)

    machines = Machines(store, time.monotonic)
    address = Address(f"https://{settings.names[0]}:{settings.port}", files.authority.read_text())

    def prepare() -> None:
        builtin.prepare()
        machines.forget()

    def recreate_access_point(system: str) -> str | None:
        from keyturn.operations.inboxes import recreate
        from keyturn.server.access_point import access_files

        return recreate(parts, lambda: access_files(parts), system)

    parts = Parts(
        settings=settings.operating,
        store=store,
        authorities=lambda realm: budgeted(realms(realm)),
        reached_by=lambda realm, name, secret: budgeted(realms.reached_by(realm, Login(name, secret))),
        access_realm=lambda realm: Access(builtin(realm)) if realms.is_builtin(realm) else PassThrough(realms(realm)),
        realm_tools=lambda realm: Toolbox(builtin(realm)),
        machine=machines,
        check_realms=refuse_unreachable,
        prepare_realms=prepare,
        custody=custodians,
        discovery=lambda realm: able if isinstance(able := realms(realm), Discovery) else None,
        delegation=lambda realm: able if isinstance(able := realms(realm), Delegation) else None,
        now=time.time,
        choose=secrets.choice,
        token=lambda: secrets.token_urlsafe(32),
        new_id=_new_id,
        wake=wake,
        realm_kinds=kinds_of_realms,
        recreate_access_point=recreate_access_point,
        address=address,
        pusher=SshPush(address.url, address.authority, str(files.known_hosts)),
        line=_line(store, settings),
        receive_folder=_receive_folder(settings),
        access_point=_access_point,
        content=_content(files, settings),
        open_msi=_open_msi,
    )
    return parts


def _open_msi(file: str, transforms: tuple[str, ...]) -> "MsiPackage":
    from keyturn.adapters.msi_files import open_package

    return open_package(Path(file), tuple(map(Path, transforms)))


def _content(files: SiteFiles, settings: SiteSettings) -> "ContentParts":
    from keyturn.adapters.content.arriving import FolderArriving
    from keyturn.adapters.content.blobs import FolderBlobs
    from keyturn.adapters.content.folder import FolderSource
    from keyturn.operations.content_ports import ContentParts

    folder = Path(settings.content_folder) if settings.content_folder else files.content
    blobs = FolderBlobs(folder.absolute() / "blobs")
    arriving = FolderArriving(folder.absolute() / "blobs", blobs)
    return ContentParts(blobs, arriving, FolderSource, _shared_folder, settings.content_nginx_prefix)


def _shared_folder(share: str) -> "SharedFolder":
    from keyturn.operations.content_ports import no_shared_folder

    try:
        from keyturn.adapters.shares.smb_folder import SmbFolder
    except ImportError:
        return no_shared_folder(share)
    return SmbFolder(share)


def _access_point(share: str) -> "AccessPoint":
    from keyturn.operations.inbox_ports import no_access_point

    try:
        from keyturn.adapters.shares.smb_access_point import SmbAccessPoint
    except ImportError:
        return no_access_point(share)
    return SmbAccessPoint(share)


def _line(store: "SqlStore", settings: SiteSettings) -> "HttpsLine":
    from keyturn.adapters.links.https import HttpsLine
    from keyturn.agent.transport import PinnedHttps, fetch_authority
    from keyturn.operations.neighbours import own_server

    return HttpsLine(lambda: own_server(store, settings.operating.site), store.site_keys, PinnedHttps, fetch_authority)


def _receive_folder(settings: SiteSettings) -> "ReceivedFiles | None":
    from keyturn.adapters.links.receive_folder import ReceivedFiles

    return ReceivedFiles(settings.inboxes) if settings.inboxes else None


def _new_id() -> str:
    """Short enough to type: eight characters of 32, so 40 bits; the store refuses one that exists."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8))
