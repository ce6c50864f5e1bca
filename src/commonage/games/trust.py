"""The trust game: what an investor sends is multiplied; the trustee returns some of it, or none (Berg, Dickhaut & McCabe 1995).

Their trustee had an endowment too, which could not be sent and on which nothing depends: it is left out.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Ask, Game, Oracle, Question, Turn, legal
from commonage.part import static

INVESTOR, TRUSTEE = 0, 1  # seats
SEND, RETURN = 0, 1  # questions; the seat's number is its question's


class State(NamedTuple):
    clock: Array  # int32[]: rounds played
    asked: Array  # int32[]: SEND or RETURN
    sent: Array  # int32[]: this round, -1 not yet
    last_sent: Array  # int32[]: last round, -1 before the first
    last_returned: Array  # int32[]: last round, -1 before the first


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    role: Array  # int32[seats]: INVESTOR or TRUSTEE
    asked: Array  # int32[seats]: SEND or RETURN: what is asked now, of one or the other
    sent: Array  # int32[seats]: this round, -1 not yet
    received: Array  # int32[seats]: what the trustee got of it, -1 nothing sent yet
    last_sent: Array  # int32[seats]: last round, -1 before the first
    last_received: Array  # int32[seats]: what the trustee got of it
    last_returned: Array  # int32[seats]: last round, -1 before the first


class Trust(Game):
    """The investor sends some of its endowment; the trustee gets `multiplier` times that and returns what it likes."""

    rounds: int = static(default=10)
    endowment: int = static(default=10)
    multiplier: int = static(default=3)

    seats: ClassVar[int] = 2
    roles = ("investor", "trustee")

    def check(self) -> None:
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(1 <= self.endowment < 1000, "endowment", "between 1 and 999")
        self.require(1 <= self.multiplier <= 10, "multiplier", "between 1 and 10")

    @property
    def questions(self) -> tuple[Question, ...]:
        most = self.endowment * self.multiplier
        return Question("send", amount=(0, self.endowment), unit="points"), Question("return", amount=(0, most), unit="points")

    @property
    def round_steps(self) -> int:
        return 2

    def start(self, key: Array) -> State:
        none = jnp.int32(-1)
        return State(jnp.int32(0), jnp.int32(SEND), none, none, none)

    def ask(self, state: State) -> Ask:
        which = jnp.where(jnp.arange(2) == state.asked, state.asked, -1)
        most = jnp.where(state.asked == SEND, self.endowment, self.multiplier * state.sent)
        return Ask(which.astype(jnp.int32), legal(self.questions[RETURN], 2, high=most))

    def look(self, state: State) -> Sight:
        each = lambda x: jnp.broadcast_to(x, 2)
        got = lambda sent: each(jnp.where(sent < 0, -1, self.multiplier * sent))
        return Sight(
            clock=each(state.clock),
            role=jnp.arange(2, dtype=jnp.int32),
            asked=each(state.asked),
            sent=each(state.sent),
            received=got(state.sent),
            last_sent=each(state.last_sent),
            last_received=got(state.last_sent),
            last_returned=each(state.last_returned),
        )

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        sending, received = state.asked == SEND, self.multiplier * state.sent
        sends, returns = moves[INVESTOR], moves[TRUSTEE]
        clock = state.clock + ~sending
        again = state._replace(asked=jnp.int32(RETURN), sent=sends)
        after = State(clock, jnp.int32(SEND), jnp.int32(-1), state.sent, returns)
        payoffs = jnp.stack([self.endowment - state.sent + returns, received - returns])
        # half returned shares the proceeds alike; who received nothing can neither honour trust nor betray it
        honour = jnp.where(received > 0, jnp.minimum(2 * returns / jnp.maximum(received, 1), 1), jnp.nan)
        deeds = jnp.where(sending, jnp.stack([sends / self.endowment, jnp.nan]), jnp.stack([jnp.nan, honour]))
        return Turn(
            state=State(*(jnp.where(sending, a, b) for a, b in zip(again, after, strict=True))),
            rewards=jnp.where(sending, 0, payoffs).astype(jnp.float32),
            round_over=~sending,
            ended=jnp.array(False),
            truncated=clock >= self.rounds,
            deeds=deeds.astype(jnp.float32),
        )

    def toward(self, state: State) -> Array:
        return jnp.array([1, 0], jnp.int32)

    def facts(self, state: State) -> dict[str, Array]:
        """Of the round that the last step belonged to; returned: -1 not yet."""
        open_ = state.asked == RETURN
        return {"sent": jnp.where(open_, state.sent, state.last_sent), "returned": jnp.where(open_, -1, state.last_returned)}

    def rules(self, seat: int) -> str:
        return (
            f"Two players play {self.rounds} rounds. Every round the investor gets {self.endowment} points and sends any part of them to "
            f"the trustee, who receives {self.multiplier} times what was sent and then returns any part of that to the investor. "
            f"The investor earns what was kept and what was returned, the trustee the rest. You are the {self.roles[seat]}."
        )

    def tell(self, state: State, seat: int) -> str:
        clock = int(state.clock)
        lines = [f"Round {clock + 1}." if clock < self.rounds else f"The {self.rounds} rounds are over."]
        lines.append(f"You are the {self.roles[seat]}.")
        investor, trustee = ("you", "the trustee") if seat == INVESTOR else ("the investor", "you")
        if state.last_sent >= 0:
            sent, returned = int(state.last_sent), int(state.last_returned)
            lines.append(f"Last round {investor} sent {sent}, {trustee} received {sent * self.multiplier} and returned {returned}.")
        if state.sent >= 0:
            sent = int(state.sent)
            lines.append(f"This round {investor} sent {sent} and {trustee} received {sent * self.multiplier}.")
        return " ".join(lines)

    def scene(self, state: State) -> list[dict[str, Any]]:
        sent = max(int(state.sent if state.asked == RETURN else state.last_sent), 0)
        returned = 0 if state.asked == RETURN else max(int(state.last_returned), 0)
        holds = np.array([self.endowment - sent + returned, sent * self.multiplier - returned])
        most = self.endowment * self.multiplier
        return [
            {"shape": "bar", "x": 0.2 + 0.4 * i, "y": 0.1, "w": 0.2, "h": 0.8, "value": float(holds[i]) / most, "text": str(int(holds[i]))}
            for i in range(2)
        ]

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        return self.scene(state)

    def yardsticks(self) -> dict[str, float]:
        return {"welfare": float(self.rounds * self.endowment * self.multiplier)}

    def oracles(self) -> list[Oracle]:
        none = float(self.rounds * self.endowment)
        every, low, high = none * self.multiplier, "nothing is ever sent", "everything is sent; what is returned only moves points"
        return [
            Oracle("welfare_sum", "floor", none, "bound", low),
            Oracle("welfare_sum", "ceiling", every, "bound", high),
            Oracle("gain", "floor", none / 2, "bound", low),
            Oracle("gain", "ceiling", every / 2, "bound", high),
        ]
