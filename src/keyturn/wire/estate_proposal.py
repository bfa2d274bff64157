"""The estate with what was found in a realm, as a file for a person to review before it is taken in.

Nothing uncertain is more than a comment. What names a directory gives are written by the writer of TOML, and into
comments without any line break, so that nobody can write into the file by choosing a name.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import tomlkit

from keyturn.model.accounts import canonical
from keyturn.model.estate import Estate
from keyturn.wire.discovery import DiscoveryShape, FoundAccountShape, LeftOutShape, PolicyShape, PublishedSiteShape
from keyturn.wire.estate_file.problems import EstateErrors, Problem
from keyturn.wire.estate_file.reading import read_estate
from keyturn.wire.estate_file.writing import in_units, write_estate


def propose(estate: Estate, found: DiscoveryShape, roles: Collection[str]) -> str:
    """A file that `read_estate` takes, if the estate itself is one: a found account that it would refuse is a comment.

    `roles` are all roles there are, as `product/slug`.
    """
    head = [*_commented(_head(estate, found)), "", *write_estate(estate).split("\n")]
    refused: dict[str, str] = {}
    while True:
        lines, owners = head.copy(), [""] * len(head)
        for account in found.accounts:
            if not account.known:
                block = ["", *_account(found.realm, account, refused.get(account.name, ""))]
                lines += block
                owners += [account.name] * len(block)
        text = "\n".join(lines) + "\n"
        problems = ((owners[problem.line - 1], problem.message) for problem in _problems(text, roles))
        more = {name: message for name, message in problems if name and name not in refused}
        if not more:  # what is wrong with the estate itself was wrong before
            return text
        refused |= more


def _problems(text: str, roles: Collection[str]) -> Sequence[Problem]:
    try:
        read_estate(text, roles=roles, kinds=None)
    except EstateErrors as errors:
        return errors.problems
    return ()


def _account(realm: str, account: FoundAccountShape, refused: str) -> list[str]:
    why = [f"{'Probably' if account.certainty == 'likely' else 'Perhaps'} a service's:", *_bullets(account)]
    block = [
        "[[account]]",
        f"name = {_text(account.name)}",
        f"realm = {_text(realm)}",
        f"role = {_text(account.role)}",
    ]
    if refused:
        return [*_commented([*why, f"An estate cannot have it: {refused}"]), *_commented(block)]
    if account.certainty == "likely":
        return [*_commented(why), *block]
    return [*_commented([*why, "Uncertain: take the signs of a comment away to have it."]), *_commented(block)]


def _bullets(account: FoundAccountShape) -> list[str]:
    return [f"- {reason}" for reason in account.reasons]


def _head(estate: Estate, found: DiscoveryShape) -> Iterator[str]:
    yield f"Drawn up from the estate and from realm {found.realm} ({found.kind}). Nothing has been taken in."
    yield "Review roles and sites, say who holds each account ([[consumer]] or a site's clients), then import the file."
    yield from _servers(estate, found)
    yield from map(_policy, found.policies)
    yield from map(_site, found.sites)
    yield from map(_left_out, filter(lambda left: left.count, found.left_out))
    if found.people:
        yield f"Left out, accounts without a sign of being a service's: {found.people}"
    for account in found.accounts:
        if account.known:
            signs = "; ".join(account.reasons) or "no sign of being a service's"
            yield f"In the estate already: {account.name}: {signs}"


def _servers(estate: Estate, found: DiscoveryShape) -> Iterator[str]:
    replicas = estate.realm(found.realm).replicas
    for server in found.servers:
        if canonical(server) not in set(map(canonical, replicas)):
            yield f"A server that is not among the realm's replicas: {server}"
    if found.servers:
        yield f"The realm's own record of its servers, first the one that takes changes: {', '.join(found.servers)}"


def _policy(policy: PolicyShape) -> str:
    locks = (
        f"locks at {policy.lockout_threshold} wrong passwords within {in_units(policy.lockout_window_s)}, for "
        + (str(in_units(policy.lockout_duration_s)) if policy.lockout_duration_s else "ever")
        if policy.lockout_threshold
        else "never locks"
    )
    return f"Policy {policy.name}: {locks}; history {policy.history}, at least {policy.min_length} characters"


def _site(site: PublishedSiteShape) -> str:
    """A site block needs its server, which is not published."""
    points = ", ".join(site.management_points) or "none"
    return f"Published in System Management: site {site.code}, management points {points}, locator points " + (
        ", ".join(site.locator_points) or "none"
    )


def _left_out(left: LeftOutShape) -> str:
    names = f" ({', '.join(left.names)})" if left.names else ""
    return f"Left out, {left.why}: {left.count}{names}"


def _commented(lines: Iterable[str]) -> list[str]:
    return [f"# {_one_line(line)}" for line in lines]


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _text(value: str) -> str:
    return str(tomlkit.item(value).as_string())
