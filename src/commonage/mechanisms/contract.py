"""A formal contract: one proposes a fine, the others sign, and it binds (Haupt, Christoffersen, Damani & Hadfield-Menell 2022).

In their terms a contract is a zero-sum transfer that depends on what is done and holds only if all agree; here it is the
simplest one: whoever does not cooperate in this round, by the game's own definition, pays the amount to those who do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal, Question, Turn, legal
from commonage.mechanism import Phased, Phases
from commonage.part import static


class Own(NamedTuple):
    round: Array  # int32[]: rounds played: whose turn it is to propose
    gone: Array  # bool[seats]: asked, but gave no move: the seat has retired, it neither proposes, signs nor receives
    amount: Array  # int32[]: what is proposed for this round, 0 nothing
    binds: Array  # bool[]: all have signed
    moved: Array  # float32[seats]: what the last step gave (+) or took (-)
    before: Array  # float32[seats]: what the last round's contract gave or took


class Sight(NamedTuple):
    asked: Array  # int32[seats]: 0 propose, 1 sign
    proposer: Array  # int32[seats]: whose turn it is
    amount: Array  # int32[seats]: what is proposed, 0 nothing
    binds: Array  # bool[seats]: all have signed
    moved: Array  # float32[seats]: what the last round's contract gave me or took


class Contract(Phased):
    """Before each round one seat, by turns, names 0..`most`; if all others sign, it binds for this round.

    Then every seat whose worst deed of the round is below 0.5 pays that amount, and what is paid is split
    equally among the others; a seat without a deed is one of them. If all would pay, nothing moves.
    """

    game: Any
    most: int = static(default=10)

    def check(self) -> None:
        self.require(self.most >= 1, "most", "at least 1")

    @property
    def own(self) -> tuple[Question, ...]:
        return Question("propose", amount=(0, self.most), unit="points"), Question("sign", ("no", "yes"))

    @property
    def before(self) -> int:
        return 2

    def begin(self, key: Array) -> Own:
        none, zero, no = jnp.zeros(self.seats, jnp.float32), jnp.int32(0), jnp.array(False)
        return Own(zero, none > 0, zero, no, none, none)

    def _away(self, state: Phases) -> Array:
        """bool[seats]: who has retired, or is not there yet."""
        return state.own.gone | ~self.present(state)

    def _proposer(self, state: Phases) -> Array:
        """int32[]: the first seat from this round's on that is not away."""
        turns = (jnp.arange(self.seats) - state.own.round) % self.seats
        return jnp.argmin(jnp.where(self._away(state), self.seats, turns)).astype(jnp.int32)

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        proposes = jnp.arange(self.seats) == self._proposer(state)
        who = proposes if phase == 0 else ~proposes & (state.own.amount > 0)
        return who & ~self._away(state), legal(self.own[phase], self.seats)

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Own, Array]:
        none = jnp.zeros(self.seats, jnp.float32)
        who, _ = self.asked(state, phase)
        own = state.own._replace(gone=state.own.gone | who & (moves < 0))
        if phase == 0:
            return own._replace(amount=jnp.where(who, moves, 0).max(), binds=jnp.array(False)), none
        return own._replace(binds=((moves != 0) | ~who).all()), none

    def played(self, key: Array, state: Phases, turn: Turn) -> tuple[Own, Array]:
        own, over = state.own, turn.round_over
        moved = jnp.where(own.binds & over, self._transfer(state), 0.0)
        after = own._replace(round=own.round + over, moved=moved, before=jnp.where(over, moved, own.before))
        return after._replace(amount=jnp.where(over, 0, own.amount), binds=own.binds & ~over), moved

    def _transfer(self, state: Phases) -> Array:
        """float32[seats], sum 0: the amount from each who did not cooperate, in equal parts to the others."""
        here = ~self._away(state)
        pays = (state.deeds < 0.5) & here
        gets = ~pays & here
        amount = jnp.where(gets.any(), state.own.amount, 0).astype(jnp.float32)
        return jnp.where(gets, amount * pays.sum() / jnp.maximum(gets.sum(), 1), jnp.where(pays, -amount, 0.0))

    def rest(self, state: Phases) -> Phases:
        return super().rest(state)._replace(own=state.own._replace(moved=jnp.zeros(self.seats, jnp.float32)))

    def look(self, state: Phases) -> Sight:
        each = lambda x: jnp.broadcast_to(x, self.seats)
        own, asked = state.own, (state.phase == self._place(1)).astype(jnp.int32)
        return Sight(each(asked), each(self._proposer(state)), each(own.amount), each(own.binds), own.before)

    def numbers(self, state: Phases) -> dict[str, Array]:
        return {"moved": state.own.moved}

    def adds(self, seat: int) -> str:
        return (
            f"Before each round one seat, by turns, names an amount of 0 to {self.most}. If it is above 0 and all others sign, it binds "
            "in this round: everybody who does not cooperate pays it, and those who did not have to pay share what is paid."
        )

    def reports(self, state: Phases, seat: int) -> str:
        own, amount = state.own, int(state.own.amount)
        lines = []
        if own.before[seat]:
            lines.append(f"The last contract {'gave you' if own.before[seat] > 0 else 'took from you'} {abs(float(own.before[seat])):g}.")
        if amount and own.binds:
            lines.append(f"A contract binds in this round: whoever does not cooperate pays {amount}.")
        elif amount and state.phase == self._place(1):
            who = "You propose" if int(self._proposer(state)) == seat else f"Seat {int(self._proposer(state)) + 1} proposes"
            lines.append(f"{who}: whoever does not cooperate in this round pays {amount}.")
        elif amount:
            lines.append(f"The contract over {amount} was not signed by all.")
        return " ".join(lines)
