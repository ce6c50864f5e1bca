"""Asks for the same amount in every round, or for the nearest that is legal."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Constant(Policy):
    """`amount` counts from the question's lowest amount, or from its first option."""

    amount: int = 10

    def check(self) -> None:
        self.require(self.amount >= 0, "amount", "0 or more")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nearest(self.amount), memory
