"""Tit for tat that takes the blame for its own slips (Sugden 1986; Wu & Axelrod 1995)."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy, move


class Memory(NamedTuple):
    sorry: Array  # int32[]: 1 from a slip until it has cooperated again
    meant: Array  # int32[]: the move it chose; noise may have played another


class ContriteTitForTat(Policy):
    """A slip: it meant to cooperate, noise defected for it, and the other had cooperated.

    Once its next cooperation has come through it forgives the answer. Without noise it is tit for tat.
    """

    game = "dilemma"

    def start(self) -> Memory:
        return Memory(jnp.int32(0), jnp.int32(COOPERATE))

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal) -> tuple[Array, Memory]:
        sorry, defected = memory.sorry > 0, sight.mine == DEFECT
        slipped = defected & (memory.meant == COOPERATE) & (sight.other == COOPERATE)
        meant = move((sorry & ~defected) | (sight.other != DEFECT))
        return meant, Memory(((sorry & defected) | slipped).astype(jnp.int32), meant)
