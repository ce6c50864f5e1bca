"""Gives the same share of what it holds to everybody."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class GenerousDonor(Policy):
    """`share` in per cent."""

    game = "donor"

    share: int = 50

    def check(self) -> None:
        self.require(0 <= self.share <= 100, "share", "per cent, 0..100")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nearest(self.share), memory
