"""Roles for the accounts of any fleet, where no product's documentation says more."""

from keyturn.lifecycle.catalogue.rules import CatalogueRow, Change, HeldBy, MethodPart, SecondAccountWhen

_OWN_RULE = "Keyturn's own rule"

ROWS: tuple[CatalogueRow, ...] = (
    CatalogueRow(
        role="service",
        title="Service",
        methods=((MethodPart.OPERATING_SYSTEM,),),
        source=f"{_OWN_RULE}, after the single-site SMS Service account",
        held_by=HeldBy.CONSUMERS,
        guideline="One consumer runs under it, so the account stays and its password changes.",
        could_be_gmsa=True,
    ),
    CatalogueRow(
        role="shared-service",
        title="Shared service",
        methods=((MethodPart.OPERATING_SYSTEM,),),
        second_account_when=(SecondAccountWhen.ALWAYS,),
        source=f"{_OWN_RULE}, after the SMS Service account shared by sites",
        change=Change.CYCLE,
        held_by=HeldBy.CONSUMERS,
        guideline="Several consumers cannot move in the same instant, so a second account carries them over.",
        could_be_gmsa=True,
    ),
    CatalogueRow(
        role="database",
        title="Database login",
        methods=((MethodPart.SQL_SERVER,),),
        second_account_when=(SecondAccountWhen.SHARED_BY_SITES,),
        source=f"{_OWN_RULE}, after the SMS database account",
        held_by=HeldBy.CONSUMERS,
        guideline="Keep the login and change its password, unless it is shared: then a second login takes over.",
    ),
    CatalogueRow(
        role="local-administrator",
        title="Local administrator",
        methods=((MethodPart.OPERATING_SYSTEM,),),
        source=f"{_OWN_RULE}, after Windows LAPS",
        held_by=HeldBy.EACH_CLIENT,
        guideline="Only its own machine depends on it, so the password changes in place; Windows LAPS can take it on.",
    ),
)
