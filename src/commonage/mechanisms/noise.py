"""Noise: hands tremble. A move of the base game now and then comes out as another one (Selten 1975; Molander 1985).

What a seat says, fines or signs never trembles, and the clock counts the base game's own steps: so the same hands
tremble with or without other mechanisms, inside this one or around it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import State as Inner
from commonage.game import Turn, base, once
from commonage.mechanism import Mechanism


class State(NamedTuple):
    game: Inner
    clock: Array  # int32[]: steps in which the base game asked somebody
    trembled: Array  # bool[seats]: whose hand trembled in the last step


class Noise(Mechanism):
    """With probability `rate` a seat's move in the base game is replaced by another legal one, all equally likely.

    Where only one move is legal nothing trembles. Everybody, the seat itself too, sees the move that came out.
    """

    null = {"rate": 0.0}
    game: Any
    rate: float = 0.05

    def check(self) -> None:
        self.require(0 <= self.rate <= 1, "rate", "between 0 and 1")

    def start(self, key: Array) -> State:
        return State(self.game.start(key), jnp.int32(0), jnp.zeros(self.seats, bool))

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        which, legal = self.game.ask(state.game)
        game = base(self.game)
        asked = (which >= 0) & (which < len(game.questions))  # the base game's questions come first
        others = legal.size - 1
        slips = asked & (moves >= 0) & (others > 0) & seeds.chance(self._key(key, state, 0), self.rate, (self.seats,))
        rank = seeds.below(self._key(key, state, 1), others, (self.seats,))
        drawn = jnp.where(legal.nth(rank) < moves, legal.nth(rank), legal.nth(rank + 1))  # the move itself is left out
        turn = self.game.step(key, state.game, once(lambda: jnp.where(slips, drawn, moves), moves))
        return turn._replace(state=State(turn.state, state.clock + asked.any(), slips))

    def rest(self, state: State) -> State:
        return super().rest(state)._replace(trembled=jnp.zeros(self.seats, bool))

    def _key(self, key: Array, state: State, purpose: int) -> Array:
        return seeds.fold(key, self.label, state.clock, purpose)

    def numbers(self, state: State) -> dict[str, Array]:
        return {"trembled": state.trembled.astype(jnp.int32)}

    def adds(self, seat: int) -> str:
        return (
            f"Hands tremble: with a probability of {float(self.rate) * 100:g} per cent a choice in the game comes out as another one, "
            "drawn at random from what is possible. Everybody sees what came out, not what was meant."
        )
