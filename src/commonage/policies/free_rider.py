"""Gives nothing to the pot: the dominant strategy of the one-shot public goods game while mpcr < 1."""

from typing import Any

from jax import Array

from commonage.policy import Policy, nearest


class FreeRider(Policy):
    game = "public_goods"

    def act(self, key: Array, memory: Any, sight: Any, legal: Array) -> tuple[Array, Any]:
        return nearest(legal, 0), memory
