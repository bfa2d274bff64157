"""Envelopes: sealed copies of passwords that custodians can open together. Bytes in, bytes out."""
