"""Answers the n-th defection by n defections and two cooperations (after Beaufils, Delahaye & Mathieu 1997)."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, move, reprisal


class Memory(NamedTuple):
    seen: Array  # int32[]: the other's defections so far
    left: Array  # int32[]: moves of the answer left


class Gradual(Policy):
    """n counts all defections so far, also those during an answer: the version of CRISTAL-SMAC (2018).

    In the paper of 1997 only those that start an answer count.
    """

    game = "dilemma"

    def start(self) -> Memory:
        return Memory(jnp.int32(0), jnp.int32(0))

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal) -> tuple[Array, Memory]:
        provoked = sight.other == DEFECT
        seen = memory.seen + provoked
        defects, left = reprisal(memory.left, provoked, seen, calm=2)
        return move(~defects), Memory(seen, left)
