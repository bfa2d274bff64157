"""The accounts of one machine as an authority: `/etc/passwd`, `/etc/shadow`, pam_faillock. It is the machine on which
the server runs, or another one over SSH."""
