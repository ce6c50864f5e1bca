"""Plays every legal move of any game with the same probability: the floor beside every score."""

from typing import Any

from jax import Array

from commonage import seeds
from commonage.policy import Policy


class Random(Policy):
    def act(self, key: Array, memory: Any, sight: Any, legal: Array) -> tuple[Array, Any]:
        return seeds.one_of(key, legal), memory
