"""Always cooperates (ALLC)."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy, move


class Cooperator(Policy):
    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return move(True), memory
