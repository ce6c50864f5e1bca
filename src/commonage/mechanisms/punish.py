"""Punishment: after each round everybody may pay to fine one other seat (Fehr & Gächter 2000).

Two questions: whom, then how many units. Each unit costs the punisher `cost` and takes `fine` from the
punished. A collapse completes its round, so fines follow it too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal, Question, legal
from commonage.mechanism import Phases
from commonage.mechanisms._sanctions import Sanctions
from commonage.part import static


class Own(NamedTuple):
    whom: Array  # int32[seats]: whom each seat fines, -1 nobody
    spent: Array  # float32[seats], in the last step
    fined: Array  # float32[seats], in the last step
    before: Array  # float32[seats]: what was fined after the last round, until the next one is over


class Sight(NamedTuple):
    asked: Array  # int32[seats]: 0 whom, 1 how many units
    deeds: Array  # float32[seats, seats]: what I know of each seat's worst deed of the last round; NaN nothing
    fined: Array  # float32[seats]: what I was fined after the last round; 0 once the next one is over


class Punish(Sanctions):
    """After each round every seat may fine one other: `most` units at most, each costs `cost`, takes `fine`."""

    game: Any
    cost: float = 1.0
    fine: float = 3.0
    most: int = static(default=1)

    private = ("whom",)

    def check(self) -> None:
        self.require(self.cost >= 0, "cost", "at least 0")
        self.require(self.fine >= 0, "fine", "at least 0")
        self.require(self.most >= 1, "most", "at least 1")

    @property
    def own(self) -> tuple[Question, ...]:
        whom = ("nobody", *(f"seat {i + 1}" for i in range(self.seats)))
        return Question("fine whom", whom), Question("units", amount=(1, self.most), unit="units")

    def begin(self, key: Array) -> Own:
        zero = jnp.zeros(self.seats, jnp.float32)
        return Own(jnp.full(self.seats, -1, jnp.int32), zero, zero, zero)

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        if phase == 1:
            return state.own.whom >= 0, legal(self.own[1], self.seats)
        others = ~jnp.eye(self.seats, self.seats + 1, k=1, dtype=bool)  # all options but oneself; "nobody" comes first
        others &= jnp.append(True, self.present(state))
        return jnp.ones(self.seats, bool), legal(self.own[0], self.seats, options=others)

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Own, Array]:
        zero = jnp.zeros(self.seats, jnp.float32)
        if phase == 0:
            return state.own._replace(whom=moves - 1), zero
        units = jnp.maximum(moves + 1, 0).astype(jnp.float32)
        hits = (state.own.whom[:, None] == jnp.arange(self.seats)) * units[:, None]
        spent, fined = units * self.cost, hits.sum(0) * self.fine
        return Own(state.own.whom, spent, fined, fined), -spent - fined

    def look(self, state: Phases) -> Sight:
        units = state.phase == self._place(1)
        known = jnp.where(self.witness(state), state.deeds, jnp.nan)
        return Sight(jnp.broadcast_to(units.astype(jnp.int32), self.seats), known, state.own.before)

    def adds(self, seat: int) -> str:
        return (
            f"After each round everybody may fine one other, up to {self.most} unit{'s' * (self.most > 1)}: "
            f"each unit costs the one who fines {float(self.cost):g} and takes {float(self.fine):g} from the one fined."
        )

    def reports(self, state: Phases, seat: int) -> str:
        fined = float(state.own.before[seat])
        return f"You were fined {fined:g} after the last round." if fined else ""
