"""Harvests everything that is there."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Greedy(Policy):
    game = "commons"  # elsewhere the largest amount may be the kindest: all tokens to the pot

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nearest(legal.high), memory
