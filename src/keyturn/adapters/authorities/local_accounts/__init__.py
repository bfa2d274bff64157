"""The accounts of the machine on which the server runs, as an authority: `/etc/passwd`, `/etc/shadow`, pam_faillock."""
