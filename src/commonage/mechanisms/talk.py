"""Cheap talk: everybody may say one thing to all, at the same time (Farrell & Rabin 1996; after the report: Piatti et al. 2024).

Policies say one of the `signals`; a sentence is kept by the runner and handed on as quoted data. Nothing that is said
binds or costs anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal, Question, legal
from commonage.mechanism import Phased, Phases
from commonage.part import static

NOTHING, IN_WORDS = 0, 1  # the signals follow


class Sight(NamedTuple):
    heard: Array  # int32[seats, seats]: the option that each seat (column) said last, as each seat (row) heard it; 0 nothing


class Talk(Phased):
    """Before each round, or after it, every seat says nothing, something in words, or one of the `signals`.

    A talk after the last round or after a collapse is not held.
    """

    game: Any
    when: str = static(default="before")
    signals: tuple[str, ...] = static(default=("I will cooperate", "I will not cooperate"))

    def check(self) -> None:
        self.require(self.when in ("before", "after"), "when", "before or after")
        options = self.own[0].options
        self.require(all(self.signals) and len(set(options)) == len(options), "signals", "distinct sentences")

    @property
    def own(self) -> tuple[Question, ...]:
        return (Question("say", ("nothing", "in words", *self.signals), speech=True),)

    @property
    def before(self) -> int:
        return 1 if self.when == "before" else 0

    def begin(self, key: Array) -> Array:
        return jnp.full(self.seats, NOTHING, jnp.int32)  # what each seat said last

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        return jnp.ones(self.seats, bool), legal(self.own[phase], self.seats)

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Array, Array]:
        return jnp.maximum(moves, NOTHING), jnp.zeros(self.seats, jnp.float32)  # a retired seat says nothing

    def look(self, state: Phases) -> Sight:
        return Sight(jnp.broadcast_to(state.own, (self.seats, self.seats)))

    def numbers(self, state: Phases) -> dict[str, Array]:
        return {"said": state.own}

    def adds(self, seat: int) -> str:
        return f"{self.when.capitalize()} each round everybody may say one thing to all, at the same time. What is said binds nobody."

    def reports(self, state: Phases, seat: int) -> str:
        lines = []
        for i, option in enumerate(state.own):
            who = "You" if i == seat else f"Seat {i + 1}"
            if option != NOTHING:
                lines.append(f"{who} spoke." if option == IN_WORDS else f'{who} said: "{self.own[0].options[option]}".')
        return " ".join(lines)
