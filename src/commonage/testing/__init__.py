"""Checks for your own parts, the same that ours have to pass."""

from commonage.testing.moves import moves

__all__ = ["moves"]
