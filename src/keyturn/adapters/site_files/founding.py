"""Founding a site: its directory, keys and certificates, and what operations put into it."""

import datetime
import secrets
from collections.abc import Callable

import pyrage

from keyturn.adapters.site_files.certificates import issue, make_authority
from keyturn.adapters.site_files.layout import SiteFiles, fresh, write_private
from keyturn.adapters.site_files.settings import SiteSettings, write_settings
from keyturn.adapters.store.seal_key import SealKey
from keyturn.escrow.custody import Custodian, Custody
from keyturn.lifecycle.catalogue.products import role_names
from keyturn.lifecycle.sequences import Patience
from keyturn.model.errors import Refused
from keyturn.operations.founding import Founding, first_estate, furnish
from keyturn.operations.parts import Parts, Settings
from keyturn.wire.estate_file.reading import read_estate
from keyturn.wire.estate_file.writing import write_estate

RECOVERY = "recovery"


def found(founding: Founding, parts: Callable[[SiteFiles, SiteSettings], Parts]) -> list[str]:
    """Returns what a person should read. Everything that can be refused is refused before anything is written."""
    text = write_estate(first_estate(founding))
    estate = read_estate(text, roles=role_names())
    recovery = None if founding.custodians else pyrage.x25519.Identity.generate()
    settings = _settings(founding, recovery)
    files = fresh(founding.root)
    if recovery is not None:
        write_private(files.recovery_key, f"{recovery}\n".encode())
    _write_certificates(files, settings)
    if settings.seal_salt is None:
        SealKey.create(files.seal_key)
    files.settings.write_text(write_settings(settings))
    token = furnish(parts(files, settings), text, estate)
    write_private(files.admin_token, token.reveal().encode() + b"\n")
    return _report(files, founding)


def _settings(founding: Founding, recovery: object) -> SiteSettings:
    custodians = founding.custodians or [(RECOVERY, str(recovery.to_public()))]  # type: ignore[attr-defined]
    try:
        custody = Custody(tuple(Custodian(name, recipient) for name, recipient in custodians), founding.needed)
    except ValueError as error:
        raise Refused(f"custodians: {error}", hint="--custodian NAME=age1… --needed K") from None
    operating = Settings(
        site=founding.site,
        two_person_approval=founding.two_person_approval,
        patience=Patience(founding.uptake_s, founding.quiet_s),
        contact_s=founding.contact_s,
    )
    salt = secrets.token_bytes(16) if founding.seal_passphrase else None
    names = tuple(founding.names)
    return SiteSettings(operating, founding.host, founding.port, names, custody, seal_salt=salt)


def _write_certificates(files: SiteFiles, settings: SiteSettings) -> None:
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(settings.operating.site, now)
    server = issue(authority, settings.names, now)
    files.authority.write_bytes(authority.certificate_pem)
    write_private(files.authority_key, authority.key_pem)
    files.certificate.write_bytes(server.certificate_pem)
    write_private(files.certificate_key, server.key_pem)


def _report(files: SiteFiles, founding: Founding) -> list[str]:
    site, realm = founding.site, founding.realm
    lines = [f"site {site} is founded in {files.root}, with the built-in realm {realm}."]
    if founding.default_account:
        lines.append(f"{realm}\\SMSClient_{site} is made; its random password is sealed as generation 1.")
    if not founding.custodians:
        lines += [
            f"Envelopes open with {files.recovery_key}: move it to a safe place away from this machine,",
            "or found the site with custodians of your own.",
        ]
    return [*lines, f"next: keyturn up {files.root}"]
