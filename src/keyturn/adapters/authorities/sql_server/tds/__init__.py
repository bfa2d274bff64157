"""The little of TDS 7.4 (MS-TDS) that Keyturn speaks: one logon over TLS, statements, and their rows.

Done here because a logon may cost a bad attempt: it is sent exactly once, to a server proven by its certificate, and
the number of every error is kept. python-tds 1.17 tries again by itself after some refusals, and takes a certificate
for `SQL1` as one for `QL1`.
"""
