"""Gives nothing to the pot: the dominant strategy of the one-shot public goods game while mpcr < 1."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class FreeRider(Policy):
    game = "public_goods"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nearest(0), memory
