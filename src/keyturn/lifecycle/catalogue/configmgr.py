"""The accounts of Configuration Manager, current branch.

No row could be a gMSA: the site, a site system or a task sequence is given the user name with its password, and a
gMSA has none to give. No limit of length is documented; a per cent sign breaks authentication wherever the password
is typed into the console.
"""

from functools import partial

from keyturn.lifecycle.catalogue.rules import (
    CatalogueRow,
    Change,
    HeldBy,
    ManualChange,
    MethodPart,
    SecondAccountWhen,
)

_PAGE = "Accounts used in Configuration Manager (current branch)"

_typed = partial(
    CatalogueRow,
    methods=((MethodPart.OPERATING_SYSTEM, MethodPart.CONSOLE),),
    forbidden_characters="%",
)
_never_typed = partial(
    CatalogueRow,
    methods=((MethodPart.OPERATING_SYSTEM,),),
    held_by=HeldBy.CONSUMERS,
)

_COMPUTER_FIRST = "Prefer the computer account, which needs no password; if this one is set, change its password."

ROWS: tuple[CatalogueRow, ...] = (
    _typed(
        role="ad-group-discovery",
        title="Active Directory group discovery",
        source=f"{_PAGE}: Active Directory group discovery account",
        held_by=HeldBy.SITE_SERVERS,
        guideline=_COMPUTER_FIRST,
    ),
    _typed(
        role="ad-system-discovery",
        title="Active Directory system discovery",
        source=f"{_PAGE}: Active Directory system discovery account",
        held_by=HeldBy.SITE_SERVERS,
        guideline=_COMPUTER_FIRST,
    ),
    _typed(
        role="ad-user-discovery",
        title="Active Directory user discovery",
        source=f"{_PAGE}: Active Directory user discovery account",
        held_by=HeldBy.SITE_SERVERS,
        guideline=_COMPUTER_FIRST,
    ),
    _typed(
        role="ad-forest",
        title="Active Directory forest",
        source=f"{_PAGE}: Active Directory forest account",
        held_by=HeldBy.SITE_SERVERS,
        guideline="Prefer the computer account where the forest trusts it; else change the password of this one.",
    ),
    _typed(
        role="capture-os-image",
        title="Capture OS image",
        source=f"{_PAGE}: Capture OS image account",
        held_by=HeldBy.ADVANCED_CLIENTS,
        guideline="Change the password and enter it in the task sequence; clients learn it with their next policy.",
    ),
    _typed(
        role="client-push-installation",
        title="Client push installation",
        second_account_when=(SecondAccountWhen.ALWAYS,),
        source=f"{_PAGE}: Client push installation account",
        change=Change.CYCLE,
        held_by=HeldBy.SITE_SERVERS,
        guideline="Add a new account to the list, which is tried in turn, and take the old one away once the directory "
        "has replicated.",
    ),
    _typed(
        role="enrollment-point-connection",
        title="Enrollment point connection",
        source=f"{_PAGE}: Enrollment point connection account",
        held_by=HeldBy.SITE_SYSTEMS,
        guideline=_COMPUTER_FIRST,
    ),
    _typed(
        role="exchange-connection",
        title="Exchange Server connection",
        source=f"{_PAGE}: Exchange Server connection account",
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the account and change its password.",
    ),
    _typed(
        role="management-point-connection",
        title="Management point connection",
        source=f"{_PAGE}: Management point connection account",
        held_by=HeldBy.SITE_SYSTEMS,
        guideline=_COMPUTER_FIRST,
    ),
    _typed(
        role="multicast-connection",
        title="Multicast connection",
        source=f"{_PAGE}: Multicast connection account",
        held_by=HeldBy.SITE_SYSTEMS,
        guideline=_COMPUTER_FIRST,
    ),
    _typed(
        role="network-access",
        title="Network access",
        manual_change=ManualChange.NOT_RECOMMENDED,
        second_account_when=(SecondAccountWhen.ALWAYS,),
        source=f"{_PAGE}: Network access account",
        change=Change.CYCLE,
        held_by=HeldBy.ADVANCED_CLIENTS,
        guideline="Replace the account instead of its password (a site takes up to ten); clients keep old secrets, so "
        "the old account is disabled and its password changed. Enhanced HTTP mostly does without.",
    ),
    _never_typed(
        role="package-access",
        title="Package access",
        source=f"{_PAGE}: Package access account",
        guideline="It stands only in the permissions of content and the site keeps no password of it: change it in the "
        "directory; a different account needs the package distributed again.",
    ),
    _typed(
        role="reporting-services-point",
        title="Reporting services point",
        source=f"{_PAGE}: Reporting services point account",
        held_by=HeldBy.SITE_SYSTEMS,
        guideline="Keep the account and change its password; Reporting Services holds a copy.",
    ),
    _never_typed(
        role="remote-tools-permitted-viewer",
        title="Remote tools permitted viewer",
        source=f"{_PAGE}: Remote tools permitted viewer accounts",
        guideline="These are people on a list: the site keeps no password of theirs, so change it in the directory.",
    ),
    _never_typed(
        role="site-installation",
        title="Site installation",
        source=f"{_PAGE}: Site installation account",
        guideline="A person installs the site with it and the site keeps no password: change it in the directory, and "
        "give its console rights to somebody else before it goes.",
    ),
    _typed(
        role="site-system-installation",
        title="Site system installation",
        source=f"{_PAGE}: Site system installation account",
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the account and change its password; across domains, wait for replication before entering it.",
    ),
    _typed(
        role="site-system-proxy",
        title="Site system proxy server",
        source=f"{_PAGE}: Site system proxy server account",
        held_by=HeldBy.SITE_SYSTEMS,
        guideline="Keep the account and change its password.",
    ),
    _typed(
        role="smtp-server-connection",
        title="SMTP server connection",
        source=f"{_PAGE}: SMTP server connection account",
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the account and change its password.",
    ),
    _typed(
        role="software-update-point-connection",
        title="Software update point connection",
        source=f"{_PAGE}: Software update point connection account",
        held_by=HeldBy.SITE_SERVERS,
        guideline=_COMPUTER_FIRST,
    ),
    _typed(
        role="source-site",
        title="Source site",
        source=f"{_PAGE}: Source site account",
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the account and change its password, between two runs of the migration.",
    ),
    _typed(
        role="source-site-database",
        title="Source site database",
        source=f"{_PAGE}: Source site database account",
        held_by=HeldBy.SITE_SERVERS,
        guideline="Keep the account and change its password, between two runs of the migration.",
    ),
    _typed(
        role="task-sequence-domain-join",
        title="Task sequence domain join",
        source=f"{_PAGE}: Task sequence domain join account",
        held_by=HeldBy.ADVANCED_CLIENTS,
        guideline="Keep the one account and change its password, in every task sequence that joins a domain.",
    ),
    _typed(
        role="task-sequence-network-folder-connection",
        title="Task sequence network folder connection",
        source=f"{_PAGE}: Task sequence network folder connection account",
        held_by=HeldBy.ADVANCED_CLIENTS,
        guideline="Keep the one account and change its password, in every task sequence that connects with it.",
    ),
    _typed(
        role="task-sequence-run-as",
        title="Task sequence run as",
        source=f"{_PAGE}: Task sequence run as account",
        held_by=HeldBy.ADVANCED_CLIENTS,
        guideline="Keep the account and change its password; one account a task sequence limits what a leak reaches.",
    ),
)
