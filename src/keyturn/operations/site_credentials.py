"""Sites as holders of accounts: told by bundle what to hold, proving it by a logon, answering by bundle.

The owner's side decides by the same gate as for every agent; a site server is the holder. A word to a site is not
repeated until the site has answered it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from keyturn.lockout.budget import Wait as BudgetWait
from keyturn.lockout.budget import may_attempt
from keyturn.model.accounts import Account, AnyAccount, RealmName, RoleName, canonical, same_name
from keyturn.model.errors import NotFound
from keyturn.model.estate import Holder, HolderKind, SiteCode
from keyturn.model.logon import Answer
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations import access, clients
from keyturn.operations.bundles import post
from keyturn.operations.clients import Contact, Handed
from keyturn.operations.gate import Adopt, Direction, Drop
from keyturn.operations.hierarchy_ports import HeldCredential, Session, SiteLogon, Standing, Told, Unreached
from keyturn.operations.neighbours import card_of
from keyturn.operations.parts import Parts
from keyturn.site import messages
from keyturn.site.bundles import Kind
from keyturn.site.cards import Card
from keyturn.site.messages import Credentials, Proofs, Proven, Take

SITE_ADDRESS = "site-address"
"""The role of the account with which one site's sender logs on at another, in every catalogue that has it."""

Present = Callable[[SiteLogon], Session]
"""One logon. Raises Unreached."""

RETRY_S = 5.0
LATER_S = 60.0

_FORGET = 0
"""In the place of a generation: the site was told to forget the account."""

_LATER = frozenset({Answer.LOCKED, Answer.REVOKED, Answer.NO_SHARE, Answer.NO_SHARE_ACCESS, Answer.NO_FILE})
"""Over when others have seen to it: nothing is known of the password."""


def is_address_account(credential: HeldCredential) -> bool:
    return credential.role.endswith(f"/{SITE_ADDRESS}")


def tell_sites(parts: Parts) -> None:
    """Tell every site server what it is to hold now, or to forget."""
    own = parts.settings.site
    sites = [known.card for known in parts.store.known_sites() if not same_name(known.card.code, own)]
    if not sites:
        return
    words = parts.store.words()
    contacts = [
        Contact(site.server, {account: word.generation for account, word in words.get(site.code, {}).items()})
        for site in sites
    ]
    for site, directions in zip(sites, clients.direct_all(parts, contacts), strict=True):
        _tell(parts, site, directions, words.get(site.code, {}))


def take(parts: Parts, source: SiteCode, payload: bytes) -> None:
    said = messages.read(Credentials, payload)
    for one in said.take:
        credential = HeldCredential(one.account, one.generation, RoleName(one.role), source)
        held = _held(parts, one.account)
        if held is None or held.generation < one.generation or one.anew:
            parts.store.hold(credential, one.secret)
    for account in said.forget:
        held = _held(parts, account)
        if held is not None and held.owner == source:
            parts.store.let_go(account)
    if said.forget:
        post(parts, source, Kind.PROOFS, messages.write(Proofs(forgotten=said.forget)))


def believe(parts: Parts, source: SiteCode, payload: bytes) -> None:
    """A site's own word on its logons, as `clients.report` takes it from any machine."""
    said, site = messages.read(Proofs, payload), card_of(parts, source)
    told = parts.store.words().get(source, {})
    for one in said.proven:
        clients.report(parts, site.server, one.account, one.generation, one.answer)
        word = told.get(one.account)
        if word is not None and word.generation == one.generation:
            parts.store.tell_site(source, one.account, replace(word, answered=True))
    for account in said.forgotten:
        word = told.get(account)
        if word is not None and word.generation == _FORGET:
            parts.store.tell_site(source, account, None)


def prove_fresh(parts: Parts) -> None:
    """Log on once with every password that is new here, and answer whoever gave it."""
    for credential in parts.store.held_credentials():
        if credential.standing is Standing.FRESH and credential.retry_at <= parts.now():
            session = log_on(parts, card_of(parts, credential.owner), credential)
            if session.answer is None:
                parts.store.keep_standing(replace(credential, retry_at=parts.now() + RETRY_S))


def log_on(parts: Parts, to: Card, credential: HeldCredential, present: Present | None = None) -> Session:
    """One logon, within the lockout budget: at the site's server, or by `present`. What it came to is kept, and told
    to the owner of the account where it is new. A password that was refused is never presented again."""
    try:
        closed = parts.line.ask(to, credential.account, credential.generation)
    except Unreached as error:
        return Session(None, reason=str(error) or "no answer")
    if closed:
        return Session(None, reason=closed)
    return _present(parts, to, credential, present or (lambda logon: parts.line.log_on(to, logon)))


def _present(parts: Parts, to: Card, credential: HeldCredential, present: Present) -> Session:
    """Written down before it is spent. One of unknown end keeps the next back for the realm's whole window."""
    realm, _, name = credential.account.partition("\\")
    account = Account(RealmName(realm), f"name:{canonical(name)}", name)
    policy = _policy(parts, realm)
    recent = parts.store.recent(account, parts.now() - policy.lockout_window_s)
    verdict = may_attempt(recent, 0, None, policy, parts.now())
    if isinstance(verdict, BudgetWait):
        return Session(None, reason=verdict.reason)
    number = parts.store.begin(account, to.code, parts.now(), None)
    secret = parts.store.held_secret(credential)
    try:
        session = present(SiteLogon(credential.account, credential.generation, secret))
    except Unreached as error:
        if credential.standing is Standing.PROVEN:
            # It opened the account before, and a generation that is old by now is not looked at there.
            parts.store.end(number, Answer.NO_SHARE)
        return Session(None, reason=str(error) or "no answer")
    parts.store.end(number, session.answer or Answer.NO_SHARE)
    _settle(parts, credential, session)
    return session


def closed_to(parts: Parts, sender: Card, account: str, generation: int) -> str:
    """The other side: why this generation is not to be presented by that site now, or empty."""
    offers = parts.store.offers(sender.server)
    offer = next((o for o in offers if same_name(str(o.account), account)), None)
    if offer is None:
        return f"{account} was never given to site {sender.code}"
    if offer.undecided or offer.live != generation or offer.doubted:
        return f"generation {generation} of {offer.account} is not to be used now"
    return ""


def admit(parts: Parts, sender: Card, logon: SiteLogon) -> Session:
    """The other side: a logon. A generation that is not the live one is not looked at, so that it costs no attempt; a
    wrong password of the live one is a real bad attempt of the realm's."""
    if closed := closed_to(parts, sender, logon.account, logon.generation):
        return Session(None, reason=closed)
    holder = Holder(sender.server, HolderKind.SITE_SERVER, sender.code)
    realm = parts.access_realm(logon.account.partition("\\")[0])
    answer = access.log_on(
        parts.store, realm, logon.account, logon.secret, machine=holder, source=sender.server, now=parts.now()
    )
    return Session(answer, Secret(parts.token()) if answer is Answer.ACCEPTED else None)


def must_log_on(parts: Parts, sender: Card) -> bool:
    """Whether this neighbour was ever heard of with a Site Address account of ours. Until then its key lets it in:
    else a link could never begin."""
    for offer in parts.store.offers(sender.server):
        if (offer.proven or offer.refused) is not None and _role(parts, offer.account).endswith(f"/{SITE_ADDRESS}"):
            return True
    return False


def _tell(parts: Parts, site: Card, directions: Sequence[Direction], told: Mapping[str, Told]) -> None:
    new = [direction for direction in directions if _is_new(direction, told)]
    if not new:
        return
    with parts.store.whole():
        handed = clients.hand_out(parts, new)
        taken = tuple(_take(parts, each) for each in handed if isinstance(each, Handed))
        forget = tuple(str(each.account) for each in handed if isinstance(each, Drop))
        for one in taken:
            parts.store.tell_site(site.code, one.account, Told(one.generation, answered=False))
        for account in forget:
            parts.store.tell_site(site.code, account, Told(_FORGET, answered=False))
        post(parts, site.code, Kind.CREDENTIALS, messages.write(Credentials(taken, forget)))


def _is_new(direction: Direction, told: Mapping[str, Told]) -> bool:
    match direction:
        case Adopt(credential):
            word = told.get(str(credential.account))
            return word is None or word.generation != credential.generation or word.answered
        case Drop(account):
            word = told.get(str(account))
            return word is None or word.generation != _FORGET
        case _:
            return False


def _take(parts: Parts, handed: Handed) -> Take:
    account = handed.credential.account
    before: Sequence[AnyAccount] = handed.succeeds
    return Take(
        str(account),
        handed.credential.generation,
        _role(parts, account),
        handed.secret,
        handed.anew,
        tuple(map(str, before)),
    )


def _settle(parts: Parts, credential: HeldCredential, session: Session) -> None:
    if session.answer is None:
        return
    if session.answer in _LATER:
        parts.store.keep_standing(replace(credential, retry_at=parts.now() + LATER_S))
        return
    standing = Standing.PROVEN if session.answer is Answer.ACCEPTED else Standing.REFUSED
    if standing is credential.standing:
        return
    proofs = Proofs((Proven(credential.account, credential.generation, session.answer),))
    with parts.store.whole():
        parts.store.keep_standing(replace(credential, standing=standing))
        post(parts, credential.owner, Kind.PROOFS, messages.write(proofs))
        if standing is Standing.REFUSED:
            what = f"{credential.account} generation {credential.generation}"
            parts.store.tell("keyturn", "site-logon-refused", what, f"site {credential.owner}: {session.answer}")


def _held(parts: Parts, account: str) -> HeldCredential | None:
    return next((held for held in parts.store.held_credentials() if same_name(held.account, account)), None)


def _role(parts: Parts, account: AnyAccount) -> str:
    return parts.store.account(account).role


def _policy(parts: Parts, realm: str) -> RealmPolicy:
    """The realm is often another site's, and not in this one's estate."""
    try:
        return parts.store.estate().realm(realm).policy
    except NotFound:
        return RealmPolicy()
