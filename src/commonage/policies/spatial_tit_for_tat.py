"""Tit for tat in `matrix`: collects green tokens first, then the kind of which the other's bag held more when they last interacted."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.part import static
from commonage.policies.purist import GREEN, MAPS, RED, Memory, pursue, recall
from commonage.policy import Policy


class SpatialTitForTat(Policy):
    game = "matrix"

    enough: int = 5  # so many of them in its bag it looks for the other
    map: str = static(default="matrix_repeated")

    def check(self) -> None:
        self.require(self.enough >= 1, "enough", "at least 1")
        self.require(self.map in MAPS, "map", " or ".join(MAPS))

    def start(self) -> Memory:
        return recall(self.map)

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal) -> tuple[Array, Memory]:
        theirs = sight.own.theirs
        return pursue(key, memory, sight, jnp.where(theirs[1] > theirs[0], RED, GREEN), self.enough)
