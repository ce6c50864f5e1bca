"""Cooperates and defects in turn, beginning with cooperation (Axelrod 1984)."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, Policy, move


class Alternator(Policy):
    """It alternates with the move as it was played: after a slip of its hand the beat is shifted."""

    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return move(sight.mine != COOPERATE), memory
