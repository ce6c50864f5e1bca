"""Answers the k-th departure from mutual cooperation by k defections (Shubik 1970, in Axelrod 1980)."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy, move, reprisal


class Memory(NamedTuple):
    k: Array  # int32[]: departures so far
    left: Array  # int32[]: defections of the answer left


class Shubik(Policy):
    """A departure: the other defects on its cooperation while no answer is running."""

    game = "dilemma"

    def start(self) -> Memory:
        return Memory(jnp.int32(0), jnp.int32(0))

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal) -> tuple[Array, Memory]:
        provoked = (memory.left == 0) & (sight.mine == COOPERATE) & (sight.other == DEFECT)
        k = memory.k + provoked
        defects, left = reprisal(memory.left, provoked, k)
        return move(~defects), Memory(k, left)
