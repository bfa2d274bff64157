"""Whether one account may do exactly what another may, and if not, where they differ."""

from keyturn.lifecycle.ports import Rights


def disparity(wanted: Rights, found: Rights) -> str:
    """Completes "it …": what is lacking, then what is too much; empty where both are equal."""
    lacking = _names(wanted.groups - found.groups, wanted.grants - found.grants)
    beyond = _names(found.groups - wanted.groups, found.grants - wanted.grants)
    said = (f"lacks {lacking}" if lacking else "", f"has {beyond} besides" if beyond else "")
    return " and ".join(part for part in said if part)


def _names(groups: frozenset[str], grants: frozenset[str]) -> str:
    return ", ".join([*sorted(groups), *sorted(grants)])
