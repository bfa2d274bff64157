"""Small estates for tests: three legacy clients of one site, and the accounts a test asks for."""

HEAD = """
product = "sms2003"

[[realm]]
name = "CORP"
replicas = ["dc1", "dc2"]

[realm.policy]
lockout_threshold = 5

[[site]]
code = "PHX"
realm = "CORP"
server = "SRV-PHX"
logon_installation = true

[[client_group]]
name = "PC"
site = "PHX"
kind = "legacy"
count = 3
interval = "10 s"
"""

MACHINES = ("PC-0001", "PC-0002", "PC-0003")


def account(name: str, role: str) -> str:
    return f'\n[[account]]\nname = "{name}"\nrealm = "CORP"\nrole = "{role}"\nsites = ["PHX"]\n'


ADDITIONAL = HEAD + account("KtClient", "client-connection-additional")
DEFAULT = HEAD + account("SMSClient_PHX", "client-connection-default")
RING = HEAD + "".join(account(f"KtClient_{n}", "client-connection-additional") for n in (1, 2, 3))
INSTALLATION = HEAD + account("KtInstall", "software-installation")
"""Held by legacy clients, changed in place."""
