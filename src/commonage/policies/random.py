"""Plays every legal move of any game with the same probability: the floor beside every score."""

from typing import Any

from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.policy import Policy


class Random(Policy):
    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nth(seeds.below(key, legal.size)), memory
