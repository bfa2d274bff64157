"""Secrets inside a site control file: sealed with age to the key of the site that will use them.

age says nothing about what was sealed. So the site and the place in its control file travel inside, and are compared on
opening: a sealed secret cannot be put to another use.
"""

import pyrage

from keyturn.model.errors import Refused
from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.site.control.document import Path, Sealed
from keyturn.site.keys import SiteKeys

MAX_SEALED = 64 * 1024
"""Bytes. Longer ones are refused unread."""

_FORM = "keyturn-site-secret/1"


def seal_for_site(recipient: str, site: SiteCode, path: Path, secret: Secret) -> Sealed:
    """Refused for what is no age recipient."""
    try:
        to = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise Refused(f"site {site} has no key to seal to", hint="its recipient begins with age1") from None
    clear = (_heading(site, path) + secret.reveal()).encode("utf-8", "surrogatepass")
    return Sealed(bytes(pyrage.encrypt(clear, [to])))


def open_for_site(keys: SiteKeys, site: SiteCode, path: Path, sealed: Sealed) -> Secret | None:
    """None if it does not open, or is another secret than the one of this place."""
    if len(sealed.data) > MAX_SEALED:
        return None
    try:
        identity = pyrage.x25519.Identity.from_str(keys.identity.reveal())
        text = bytes(pyrage.decrypt(sealed.data, [identity])).decode("utf-8", "surrogatepass")
    except (pyrage.DecryptError, UnicodeDecodeError):
        return None
    heading = _heading(site, path)
    return Secret(text.removeprefix(heading)) if text.startswith(heading) else None


def _heading(site: SiteCode, path: Path) -> str:
    return f"{_FORM}\n{site.casefold()}\n{str(path).casefold()}\n"
