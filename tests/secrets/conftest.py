"""The fixtures of this folder."""

from tests.secrets.canary import canaries

__all__ = ["canaries"]
