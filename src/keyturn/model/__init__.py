"""The nouns: realm, account, credential, secret, site, client, estate. Imports nothing of ours."""
