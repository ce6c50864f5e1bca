"""Puts in the effort at which all together take the sustainable harvest of the common pool: the ceiling of restraint."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Steward(Policy):
    """Where the stock is above the one that yields most, all stewards together take it down to that one."""

    game = "pool"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nearest(sight.share), memory
