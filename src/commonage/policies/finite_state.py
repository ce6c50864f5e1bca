"""A finite state machine by table: from the state and the other's last move to the next state and move (Rubinstein 1986)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy


class FiniteState(Policy):
    """Tables with two entries per state: if the other cooperated, if it defected. Moves: 0 cooperate, 1 defect.

    The default, with one state, is tit for tat; grim is next_state = (0, 1, 1, 1), next_move = (0, 1, 1, 1).
    All entries are leaves: machines with the same number of states act in one compiled call.
    """

    game = "dilemma"

    next_state: tuple[int, ...] = (0, 0)
    next_move: tuple[int, ...] = (COOPERATE, DEFECT)
    first_state: int = 0
    first_move: int = COOPERATE

    def check(self) -> None:
        entries, states = len(self.next_state), range(len(self.next_state) // 2)
        self.require(entries >= 2 and entries % 2 == 0, "next_state", "two states for each state: if the other cooperated, if it defected")
        self.require(all(state in states for state in self.next_state), "next_state", f"states of the machine, 0..{len(states) - 1}")
        self.require(len(self.next_move) == entries, "next_move", f"{entries} moves, one for each entry of next_state")
        self.require(all(move in (COOPERATE, DEFECT) for move in self.next_move), "next_move", "0 (cooperate) or 1 (defect) each")
        self.require(self.first_state in states, "first_state", f"a state of the machine, 0..{len(states) - 1}")
        self.require(self.first_move in (COOPERATE, DEFECT), "first_move", "0 (cooperate) or 1 (defect)")

    def start(self) -> Array:
        return jnp.asarray(self.first_state, jnp.int32)

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        entry = 2 * memory + (sight.other == DEFECT)
        first = sight.clock == 0
        state = jnp.where(first, memory, jnp.asarray(self.next_state, jnp.int32)[entry])
        return jnp.where(first, self.first_move, jnp.asarray(self.next_move, jnp.int32)[entry]), state
