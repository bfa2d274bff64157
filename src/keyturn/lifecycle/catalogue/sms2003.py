"""The accounts of SMS 2003: Table 12.2, and the accounts that the same chapter says to leave alone.

Where a later KB article prefers another way, the chapter's rule is the row and the guideline names the other.
"""

from functools import partial

from keyturn.lifecycle.catalogue.rules import (
    CatalogueRow,
    Change,
    HeldBy,
    MaintainedBy,
    ManualChange,
    Method,
    MethodPart,
    PasswordCreatedBy,
    SecondAccountWhen,
    SiteReset,
)

LONGEST_PASSWORD = 14
"""Q318396: the product cannot encrypt a longer one, and the failure shows only later, as lockouts.

It stands in every row, for the product keeps a copy of each of these passwords.
"""

_CHAPTER = "Planning for SMS Account Lifecycles"
_TABLE = f"{_CHAPTER}: Table 12.2"
_LEAVE_ALONE = f"{_CHAPTER}: General Guidelines, accounts not to change manually"

_OS_THEN_SITE_RESET: Method = (MethodPart.OPERATING_SYSTEM, MethodPart.SITE_RESET)
_OS_THEN_CONSOLE: Method = (MethodPart.OPERATING_SYSTEM, MethodPart.CONSOLE)
_OS_THEN_SMS: Method = (MethodPart.OPERATING_SYSTEM, MethodPart.SMS)
_SQL_THEN_SITE_RESET: Method = (MethodPart.SQL_SERVER, MethodPart.SITE_RESET)
_SQL_THEN_CONSOLE: Method = (MethodPart.SQL_SERVER, MethodPart.CONSOLE)

_by_administrator = partial(CatalogueRow, max_password_length=LONGEST_PASSWORD)
_by_site = partial(
    CatalogueRow,
    password_created_by=PasswordCreatedBy.RANDOM,
    manual_change=ManualChange.NOT_RECOMMENDED,
    methods=((MethodPart.SITE_RESET,),),
    site_reset=SiteReset.REGENERATES,
    change=Change.SITE_REGENERATION,
    maintained_by=MaintainedBy.SITE,
    tool="a site reset",
    max_password_length=LONGEST_PASSWORD,
)
_by_client = partial(
    CatalogueRow,
    password_created_by=PasswordCreatedBy.RANDOM,
    manual_change=ManualChange.NOT_RECOMMENDED,
    methods=((MethodPart.CLIENT_REINSTALL,),),
    change=Change.NONE,
    maintained_by=MaintainedBy.CLIENT,
    held_by=HeldBy.EACH_CLIENT,
    tool="removing and reinstalling the client",
    max_password_length=LONGEST_PASSWORD,
)

ROWS: tuple[CatalogueRow, ...] = (
    _by_administrator(
        role="service",
        title="SMS Service",
        methods=(_OS_THEN_SITE_RESET, _OS_THEN_CONSOLE),
        second_account_when=(SecondAccountWhen.SHARED_BY_SITES, SecondAccountWhen.SECONDARY_SITE),
        source=f"{_TABLE}; Managing the SMS Service Account",
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the account and change its password; where several sites or a secondary site use it, let a "
        "second account stand beside it until every process has moved.",
    ),
    _by_administrator(
        role="database",
        title="Database (sa or SQL login)",
        methods=(_SQL_THEN_SITE_RESET, _SQL_THEN_CONSOLE),
        second_account_when=(SecondAccountWhen.SHARED_BY_SITES,),
        source=f"{_TABLE}; General Guidelines, passwords instead of accounts",
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the login and change its password, unless several sites share it: then a new login takes over.",
    ),
    _by_administrator(
        role="site-address",
        title="Site Address",
        methods=(_OS_THEN_SMS,),
        source=_TABLE,
        held_by=HeldBy.SITE_SERVERS,
        # That several addresses call for a second account is inferred, not written anywhere: so no rule of the row.
        guideline="Keep the account and change its password, in every address that names it; with several such "
        "addresses a second account leaves more time.",
    ),
    _by_site(
        role="server-connection",
        title="Server Connection",
        name_pattern="SMSServer_<site>",
        source=f"{_TABLE}; Managing the Server Connection Account",
        held_by=HeldBy.SITE_SYSTEMS,
        # The row is the account that setup makes; one that setup was given is the exception, see `from_setup_file`.
        from_setup_file=True,
        guideline="Leave it to the site; if setup was given the account (SMSAccountSetup.ini or switches), every reset "
        "needs the same again, or remote site systems lose the site server.",
    ),
    _by_administrator(
        role="site-system-connection",
        title="Site System Connection",
        methods=(_OS_THEN_CONSOLE,),
        source=_TABLE,
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the account and change its password.",
    ),
    _by_site(
        role="remote-service",
        title="Remote Service",
        name_pattern="SMSSvc_<site>_<xxxx>",
        second_account_when=(SecondAccountWhen.SHARED_BY_SITES,),
        source=f"{_TABLE}; General Guidelines, passwords instead of accounts",
        held_by=HeldBy.SITE_SYSTEMS,
        guideline="Leave it to the site, unless several sites share it: then a new account takes over, because a reset "
        "of one site would cut off the others.",
    ),
    _by_client(
        role="client-services",
        title="Client Services (non-DC)",
        name_pattern="SMSCliSvcAcct&",
        source=_TABLE,
        guideline="Leave it to the client, which makes a new password when it is installed again.",
    ),
    _by_client(
        role="client-services-dc",
        title="Client Services (DC)",
        name_pattern="SMS&_<domain controller>",
        source=_TABLE,
        guideline="Leave it to the client on that domain controller, which makes a new password when installed again.",
    ),
    _by_client(
        role="client-user-token",
        title="Client User Token (non-DC)",
        name_pattern="SMSCliToknLocalAcct&",
        source=_TABLE,
        guideline="Leave it to the client; its password differs on every machine and is of no use elsewhere.",
    ),
    _by_client(
        role="client-user-token-dc",
        title="Client User Token (DC)",
        name_pattern="SMSCliToknAcct&",
        source=_TABLE,
        guideline="Leave it to the clients on the domain controllers, which share this one account.",
    ),
    _by_client(
        role="ccm-boot-loader",
        title="CCM Boot Loader (non-DC)",
        name_pattern="SMSCCMBootAcct&",
        manual_change=ManualChange.NEVER,
        source=_LEAVE_ALONE,
        guideline="Never touch it: the client's installation makes it and takes it away again.",
    ),
    _by_client(
        role="ccm-boot-loader-dc",
        title="CCM Boot Loader (DC)",
        name_pattern="SMS#_<domain controller>",
        manual_change=ManualChange.NEVER,
        source=_LEAVE_ALONE,
        guideline="Never touch it: the client's installation on that domain controller makes it and takes it away.",
    ),
    _by_site(
        role="client-connection-default",
        title="Client Connection (default)",
        name_pattern="SMSClient_<site>",
        second_account_when=(SecondAccountWhen.ALWAYS,),
        source=f"{_TABLE}; Managing the Client Connection Account",
        # An additional account carries the clients over; afterwards the default one stays and is the site's again.
        change_after_second=Change.SITE_REGENERATION,
        held_by=HeldBy.LEGACY_CLIENTS,
        guideline="Leave it to the site, and only once every client has another Client Connection account that works; "
        "one that setup was given counts as additional.",
    ),
    _by_administrator(
        role="client-connection-additional",
        title="Client Connection (additional)",
        manual_change=ManualChange.NOT_RECOMMENDED,
        # Table 12.2 has no method because the password of such an account is never changed; the account that takes
        # over is made in the directory and then entered in the console, as every account of the administrator's is.
        methods=(_OS_THEN_CONSOLE,),
        second_account_when=(SecondAccountWhen.ALWAYS,),
        source=f"{_TABLE}; Managing the Client Connection Account; Q237759",
        change=Change.CYCLE,
        held_by=HeldBy.LEGACY_CLIENTS,
        guideline="Replace the account instead of its password, and keep the old one until every client has proven the "
        "new; three accounts in turn leave two untouched at any time.",
    ),
    _by_administrator(
        role="network-access",
        title="Advanced Client Network Access",
        methods=(_OS_THEN_CONSOLE,),
        source=_TABLE,
        held_by=HeldBy.ADVANCED_CLIENTS,
        guideline="Keep the account and change its password; the product's successor prefers a new account.",
    ),
    _by_administrator(
        role="software-installation",
        title="Legacy Client Software Installation",
        methods=(_OS_THEN_CONSOLE,),
        source=_TABLE,
        held_by=HeldBy.LEGACY_CLIENTS,
        guideline="Keep the account and change its password.",
    ),
    _by_administrator(
        role="client-push-installation",
        title="Client Push Installation",
        methods=(_OS_THEN_CONSOLE,),
        source=_TABLE,
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the account and change its password; the product's successor adds a new account to the list.",
    ),
)
