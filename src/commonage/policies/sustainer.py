"""Harvests the equal share of the sustainable amount (GovSim's threshold, Piatti et al. 2024)."""

from typing import Any

from jax import Array

from commonage.policy import Policy, nearest


class Sustainer(Policy):
    game = "commons"
    aliases = ("share",)

    def act(self, key: Array, memory: Any, sight: Any, legal: Array) -> tuple[Array, Any]:
        return nearest(legal, sight.share), memory
