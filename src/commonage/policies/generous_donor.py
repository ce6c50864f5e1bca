"""Gives the same share of what it holds to everybody."""

from typing import Any

from jax import Array

from commonage.policy import Policy, nearest


class GenerousDonor(Policy):
    """`share` in per cent."""

    game = "donor"

    share: int = 50

    def act(self, key: Array, memory: Any, sight: Any, legal: Array) -> tuple[Array, Any]:
        return nearest(legal, self.share), memory
