"""The reverse of tit for tat: defect first, then do the opposite of what the other did (Nachbar 1992)."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, move


class Bully(Policy):
    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return move(sight.other == DEFECT), memory
