"""Where a pushed agent is on its machine."""

PROGRAM = "/opt/keyturn-agent"
"""The program, whole: what the site server copies there and takes away again."""
HOME = "/var/lib/keyturn-agent"
"""The agent's own folder: keys, credentials, what it remembers."""
