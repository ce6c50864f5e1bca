"""Sells as in the one-round Nash equilibrium, whatever the others do."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class NashSeller(Policy):
    game = "market"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return sight.nash, memory
