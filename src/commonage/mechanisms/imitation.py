"""Social learning: after each round a seat may be shown what one of the others does that did better so far (after Gupta et al. 2025).

Payoff-biased learning as pairwise comparison (Helbing 1992; Schlag 1998): one of the others is drawn, and the more it has earned than
oneself the likelier it is shown. What it earned is not told. Nobody is asked anything, and to copy or not is up to who is shown.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import State as Inner
from commonage.game import Turn, choose, owners
from commonage.mechanism import Mechanism

CENTS = 100  # what is earned is compared in hundredths of a point


class State(NamedTuple):
    game: Inner
    round: Array  # int32[]: rounds played
    total: Array  # int32[seats]: hundredths of a point that each seat has earned, in all layers inside
    last: Array  # int32[seats, questions]: each seat's last move at each question, -1 none
    peer: Array  # int32[seats]: who is shown to each seat since the last round, -1 nobody
    shown: Array  # int32[seats, questions]: its last moves when that round was over, -1 none


class Sight(NamedTuple):
    peer: Array  # int32[seats]: who is shown to me since the last round, -1 nobody
    moves: dict[str, Array]  # by layer int32[seats, questions of it]: its last move at each question, -1 none


class Imitation(Mechanism):
    """With probability `rate` a seat looks at one other, drawn at random: it is shown if it has earned more.

    `scale` above 0: only with the probability (its earnings - mine) / `scale`, at most 1.
    What is shown are its last moves in all layers inside when the round was over, and thereby its deeds of that round.
    """

    null = {"rate": 0.0}
    game: Any
    rate: float = 1.0
    scale: float = 0.0

    private = ("total", "last")

    def check(self) -> None:
        self.require(0 <= self.rate <= 1, "rate", "between 0 and 1")
        self.require(0 <= self.scale <= 600, "scale", "between 0 and 600 points")  # drawn in hundredths below 2^16

    def start(self, key: Array) -> State:
        none = jnp.zeros(self.seats, jnp.int32)
        last = jnp.full((self.seats, len(self.game.questions)), -1, jnp.int32)
        return State(self.game.start(key), jnp.int32(0), none, last, none - 1, last)

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        asked = self.game.ask(state.game).which[:, None] == jnp.arange(len(self.game.questions))
        turn = self.game.step(key, state.game, moves)
        total = state.total + jnp.round(turn.rewards * CENTS).astype(jnp.int32)
        last = jnp.where(asked, moves[:, None], state.last)
        peer = self._peers(key, state.round, total, (last >= 0).any(-1) & self.game.present(turn.state))
        drawn = peer, jnp.where(peer[:, None] >= 0, last[peer], -1)
        shown = choose(turn.round_over, drawn, (state.peer, state.shown))
        return turn._replace(state=State(turn.state, state.round + turn.round_over, total, last, *shown))

    def _peers(self, key: Array, round: Array, total: Array, here: Array) -> Array:
        """int32[seats]: who of those `here` is shown to each seat, -1 nobody."""
        stream = lambda purpose: seeds.fold(key, self.label, round, purpose)
        peer, scale = seeds.peers(stream(0), here), jnp.round(jnp.asarray(self.scale) * CENTS).astype(jnp.int32)
        better = seeds.below(stream(1), scale, (self.seats,)) < total[peer] - total
        looks = seeds.chance(stream(2), self.rate, (self.seats,))
        return jnp.where(looks & better & (peer >= 0), peer, -1)

    def witness(self, state: State) -> Array:
        return self.game.witness(state.game) | (state.peer[:, None] == jnp.arange(self.seats))

    def look(self, state: State) -> Sight:
        owner = np.array(owners(self.game))
        return Sight(state.peer, {label: state.shown[:, owner == label] for label in dict.fromkeys(owners(self.game))})

    def adds(self, seat: int) -> str:
        often = "" if float(self.rate) == 1 else f" with a chance of {float(self.rate) * 100:g} per cent"
        likelier = " with a chance that grows with the difference," if float(self.scale) else ""
        return (
            f"After each round{often} one of the others is drawn at random for you. If it has earned more than you so far,{likelier} "
            "you are shown what it did last. What it earned is not told."
        )

    def reports(self, state: State, seat: int) -> str:
        peer = int(state.peer[seat])
        if peer < 0:
            return ""
        did = [f"{q.name}: {q.say(int(m))} {q.unit}".strip() for q, m in zip(self.game.questions, state.shown[seat], strict=True) if m >= 0]
        return f"Seat {peer + 1} has earned more than you so far. What it did last: {'; '.join(did)}."
