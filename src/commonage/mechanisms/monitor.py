"""Monitoring: after each round everybody may check one other, drawn at random, and fine it if it broke the norm.

After Gupta et al. 2025, in Ostrom's terms (1990) monitors and sanctions by the users themselves. Both moves are chances: how often
to check, how often to fine. What the norm is says a `norm` inside; without one, the game's own definition of cooperation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Legal, Question, layers, legal
from commonage.mechanism import Phases
from commonage.mechanisms._sanctions import Sanctions


class Own(NamedTuple):
    chance: Array  # int32[seats]: per cent, of checking, after this round
    whom: Array  # int32[seats]: whom each seat checked last time, -1 nobody; until it names a chance again
    broke: Array  # bool[seats]: whether that seat had broken the norm
    spent: Array  # float32[seats], in the last step
    fined: Array  # float32[seats], in the last step
    before: Array  # float32[seats]: what was fined after the last round, until the next one is over


class Sight(NamedTuple):
    asked: Array  # int32[seats]: 0 check, 1 fine
    whom: Array  # int32[seats]: whom I checked last time, -1 nobody; until I name a chance again
    broke: Array  # bool[seats]: whether it had broken the norm
    fined: Array  # float32[seats]: what I was fined after the last round; 0 once the next one is over


class Monitor(Sanctions):
    """Two questions after each round: the chance to check, then the chance to fine; a fine costs `cost` and takes `fine`.

    A check draws one of the others, all equally likely. Who is checked does not notice; who is fined does.
    """

    game: Any
    cost: float = 1.0
    fine: float = 3.0

    private = ("chance",)

    def check(self) -> None:
        self.require(self.cost >= 0, "cost", "at least 0")
        self.require(self.fine >= 0, "fine", "at least 0")

    @property
    def own(self) -> tuple[Question, ...]:
        return Question("check", amount=(0, 100), unit="per cent"), Question("fine", amount=(0, 100), unit="per cent")

    def begin(self, key: Array) -> Own:
        zero, none = jnp.zeros(self.seats, jnp.float32), jnp.zeros(self.seats, jnp.int32)
        return Own(none, none - 1, none > 0, zero, zero, zero)

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        who = jnp.ones(self.seats, bool) if phase == 0 else state.own.chance > 0
        return who, legal(self.own[phase], self.seats)

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Own, Array]:
        own, zero = state.own, jnp.zeros(self.seats, jnp.float32)
        if phase == 0:
            none = jnp.full(self.seats, -1, jnp.int32)
            return own._replace(chance=jnp.maximum(moves, 0), whom=none, broke=none >= 0), zero
        stream = lambda purpose: seeds.fold(key, self.label, state.clock, purpose)
        peer = seeds.peers(stream(0), self.present(state))
        checks = (seeds.below(stream(1), 100, (self.seats,)) < own.chance) & (peer >= 0)
        broke = checks & self._broken(state)[peer]
        fines = broke & (seeds.below(stream(2), 100, (self.seats,)) < moves)  # no move is -1
        spent = fines * jnp.asarray(self.cost, jnp.float32)
        fined = ((peer[:, None] == jnp.arange(self.seats)) & fines[:, None]).sum(0) * jnp.asarray(self.fine, jnp.float32)
        return Own(own.chance, jnp.where(checks, peer, -1), broke, spent, fined, fined), -spent - fined

    def _broken(self, state: Phases) -> Array:
        """bool[seats]: who broke the norm in the round that is over."""
        return self.game.facts(state.game).get("norm.broken", state.deeds < 0.5)

    def look(self, state: Phases) -> Sight:
        fine = jnp.broadcast_to((state.phase == self._place(1)).astype(jnp.int32), self.seats)
        return Sight(fine, state.own.whom, state.own.broke, state.own.before)

    @property
    def _limited(self) -> bool:
        """Whether the group has a norm of its own."""
        return any(layer.name == "norm" for layer in layers(self.game))

    def adds(self, seat: int) -> str:
        return (
            "After each round everybody names two chances in per cent: that one checks one of the others, drawn at random, and that one "
            f"fines it if it {'broke the norm' if self._limited else 'did not cooperate'} in this round. A fine costs the one who fines "
            f"{float(self.cost):g} and takes {float(self.fine):g} from the one fined."
        )

    def reports(self, state: Phases, seat: int) -> str:
        own, lines = state.own, []
        if own.whom[seat] >= 0:
            found = ("kept the norm", "broke the norm") if self._limited else ("cooperated", "did not cooperate")
            lines.append(f"Your last check: seat {int(own.whom[seat]) + 1} {found[int(own.broke[seat])]}.")
        if own.before[seat]:
            lines.append(f"You were fined {float(own.before[seat]):g} after the last round.")
        return " ".join(lines)
