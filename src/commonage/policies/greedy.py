"""Takes everything that is legal: the largest amount, the last option."""

from typing import Any

from jax import Array

from commonage.policy import Policy, nearest


class Greedy(Policy):
    def act(self, key: Array, memory: Any, sight: Any, legal: Array) -> tuple[Array, Any]:
        return nearest(legal, legal.shape[0] - 1), memory
