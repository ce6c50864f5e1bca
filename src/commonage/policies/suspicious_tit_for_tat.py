"""Tit for tat that begins with a defection (Boyd & Lorberbaum 1987)."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, Policy, move


class SuspiciousTitForTat(Policy):
    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return move(sight.other == COOPERATE), memory
