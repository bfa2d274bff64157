"""Joining a site, with new keys and a token that is good once; and leaving."""

import re

from keyturn.agent.credentials import Credentials
from keyturn.agent.home import Home
from keyturn.agent.keys import new_keys
from keyturn.agent.link import Link, authority_of
from keyturn.agent.ports import AgentParts
from keyturn.agent.records import Installation
from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.wire.agent import Enrol
from keyturn.wire.signing import CLIENT_NAME


def enrol(home: Home, parts: AgentParts, *, server: str, name: str, token: Secret, ca: str) -> Installation:
    """Also the way back for an agent whose keys were lost or stolen: the site then knows only the new ones.

    Nothing held here changes before the site has agreed. What was sealed to the old keys goes before the new ones
    come, so that no crash leaves passwords that do not open.
    """
    if not re.fullmatch(CLIENT_NAME, name):
        raise Refused("this is no client's name", hint="letters, digits, dot, hyphen and underscore, 63 at most")
    authority = authority_of(server)
    home.make()
    with home.lock():
        credentials = Credentials(home, parts.now)
        credentials.start_over()
        keys = new_keys()
        link = Link(parts.exchange(server, ca), authority, name, keys, credentials.number, parts.now)
        enrolled = link.enrol(Enrol(token, name, keys.verify_key, keys.recipient))
        if enrolled.name != name:
            raise Refused(f"the site enrolled {enrolled.name} instead of {name}")
        installation = Installation(
            server=server,
            site=enrolled.site,
            name=name,
            access_point=enrolled.access_point,
            ca=ca,
            contact_s=enrolled.contact_s,
            protocol=enrolled.protocol,
            kind=enrolled.kind,
        )
        credentials.wipe()
        home.keep_installation(installation)
        home.keep_keys(keys)
    return installation


def leave(home: Home) -> None:
    """Forget site, keys and credentials. The site is not told: it needs to, for it counts on every holder's proof."""
    with home.lock():
        home.clear()
