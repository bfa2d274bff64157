"""The columns of a catalogue: what is known of a role, in closed vocabularies."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class PasswordCreatedBy(StrEnum):
    ADMINISTRATOR = "administrator"
    RANDOM = "random"
    """The product generates it; no person ever sees it."""


class ManualChange(StrEnum):
    """Whether a person may set the password by hand."""

    YES = "yes"
    NOT_RECOMMENDED = "not-recommended"
    NEVER = "never"


class MethodPart(StrEnum):
    """One place where the new password is made or entered; a method is a sequence of them."""

    OPERATING_SYSTEM = "operating-system"
    SQL_SERVER = "sql-server"
    SITE_RESET = "site-reset"
    CONSOLE = "console"
    """The administrator console: works only while every service of the site runs."""
    SMS = "sms"
    """The properties of the object that uses the account, such as a site address."""
    CLIENT_REINSTALL = "client-reinstall"


Method: TypeAlias = tuple[MethodPart, ...]


class SiteReset(StrEnum):
    """What a site reset does to the password."""

    REGENERATES = "regenerates"
    KEEPS = "keeps"
    REQUIRES_SETUP_FILE = "requires-setup-file"
    """Leaves the account in use only if the reset is given the same SMSAccountSetup.ini or switches as setup was."""


class SecondAccountWhen(StrEnum):
    """The circumstance in which another account must work before this one is touched."""

    ALWAYS = "always"
    SHARED_BY_SITES = "shared-by-sites"
    SECONDARY_SITE = "secondary-site"


class HeldBy(StrEnum):
    """Who keeps a copy of the password and logs on with it."""

    LEGACY_CLIENTS = "legacy-clients"
    ADVANCED_CLIENTS = "advanced-clients"
    SITE_SERVERS = "site-servers"
    SITE_SYSTEMS = "site-systems"
    EACH_CLIENT = "each-client"
    """What clients make for themselves: nobody is given the password, nor are machines that share such an account."""
    CONSUMERS = "consumers"
    """Holders named one by one in the estate."""


class MaintainedBy(StrEnum):
    ADMINISTRATOR = "administrator"
    SITE = "site"
    CLIENT = "client"


class Change(StrEnum):
    """How Keyturn gives an account a new password."""

    IN_PLACE = "in-place"
    CYCLE = "cycle"
    """A second account takes over and the first is retired."""
    SITE_REGENERATION = "site-regeneration"
    """The site makes the new password itself."""
    NONE = "none"
    """Keyturn does not: only the tool that maintains the account may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """One role.

    `role` is the slug, unique in its product. `name_pattern` has its variable parts in angle brackets; None: the
    administrator chooses the name. `methods` stand in the order of the source. `change` applies when nothing forces
    a second account, `change_after_second` once one works. `tool` is what changes an account that a person must
    not, in words; empty for the administrator's own. `from_setup_file`: setup may have been given this account
    instead of making it. `max_password_length` counts characters; None: no limit is known beyond the realm's.
    `forbidden_characters` are those the product cannot take in this password.
    """

    role: str
    title: str
    name_pattern: str | None = None
    password_created_by: PasswordCreatedBy = PasswordCreatedBy.ADMINISTRATOR
    manual_change: ManualChange = ManualChange.YES
    methods: tuple[Method, ...]
    site_reset: SiteReset = SiteReset.KEEPS
    second_account_when: tuple[SecondAccountWhen, ...] = ()
    source: str
    change: Change = Change.IN_PLACE
    change_after_second: Change = Change.CYCLE
    maintained_by: MaintainedBy = MaintainedBy.ADMINISTRATOR
    held_by: HeldBy
    guideline: str
    tool: str = ""
    from_setup_file: bool = False
    could_be_gmsa: bool = False
    max_password_length: int | None = None
    forbidden_characters: str = ""
