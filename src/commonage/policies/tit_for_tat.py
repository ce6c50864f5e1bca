"""Tit for tat: cooperate first, then do what the other did last (Rapoport, in Axelrod 1980)."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, move


class TitForTat(Policy):
    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return move(sight.other != DEFECT), memory
