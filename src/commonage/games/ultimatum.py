"""The ultimatum game: one proposes how to share a pie, the other takes the offer or leaves both with nothing (Güth et al. 1982)."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Ask, Game, Oracle, Question, Turn, legal
from commonage.part import static

PROPOSER, RESPONDER = 0, 1  # roles
OFFER, ANSWER = 0, 1  # questions; the role's number is its question's
ACCEPT, REJECT = 0, 1


class State(NamedTuple):
    clock: Array  # int32[]: rounds played
    asked: Array  # int32[]: OFFER or ANSWER
    offer: Array  # int32[]: on the table now, -1 none
    last_offer: Array  # int32[]: last round's, -1 before the first
    last_answer: Array  # int32[]: ACCEPT or REJECT, -1 before the first


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    role: Array  # int32[seats]: PROPOSER or RESPONDER, this round
    asked: Array  # int32[seats]: OFFER or ANSWER: what is asked now, of one or the other
    offer: Array  # int32[seats]: on the table now, -1 none
    last_offer: Array  # int32[seats]: last round's, -1 before the first
    last_answer: Array  # int32[seats]: ACCEPT or REJECT, -1 before the first


class Ultimatum(Game):
    """A proposer offers some of the pie; accepted, it is shared so; rejected, both get nothing.

    `swap`: the two change roles after every round.
    """

    rounds: int = static(default=10)
    pie: int = static(default=10)
    swap: bool = static(default=False)

    seats: ClassVar[int] = 2
    roles = ("proposer", "responder")

    def check(self) -> None:
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(1 <= self.pie < 10_000, "pie", "between 1 and 9999")

    @property
    def questions(self) -> tuple[Question, ...]:
        return Question("offer", amount=(0, self.pie), unit="points"), Question("accept", ("accept", "reject"))

    @property
    def round_steps(self) -> int:
        return 2

    def role(self, clock: Any) -> Any:
        """int32[2]: the role of each seat in this round."""
        return (jnp.arange(2) + clock * self.swap) % 2

    def start(self, key: Array) -> State:
        none = jnp.int32(-1)
        return State(jnp.int32(0), jnp.int32(OFFER), none, none, none)

    def ask(self, state: State) -> Ask:
        which = jnp.where(self.role(state.clock) == state.asked, state.asked, -1)
        most = jnp.where(state.asked == OFFER, self.pie, 1)
        return Ask(which.astype(jnp.int32), legal(self.questions[ANSWER], 2, high=most))

    def look(self, state: State) -> Sight:
        each = lambda x: jnp.broadcast_to(x, 2)
        role = self.role(state.clock).astype(jnp.int32)
        return Sight(each(state.clock), role, *(each(x) for x in state[1:]))

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        role = self.role(state.clock)
        offering = state.asked == OFFER
        move = jnp.where(role[0] == state.asked, moves[0], moves[1])  # of the one who was asked
        shares = jnp.where(role == PROPOSER, self.pie - state.offer, state.offer)
        clock = state.clock + ~offering
        again = state._replace(asked=jnp.int32(ANSWER), offer=move)
        after = State(clock, jnp.int32(OFFER), jnp.int32(-1), state.offer, move)
        # a rejection is no defection: it costs the responder, too, and punishes a low offer
        deeds = jnp.where(offering & (role == PROPOSER), jnp.minimum(2 * move / self.pie, 1), jnp.nan)
        return Turn(
            state=State(*(jnp.where(offering, a, b) for a, b in zip(again, after, strict=True))),
            rewards=jnp.where(~offering & (move == ACCEPT), shares, 0).astype(jnp.float32),
            round_over=~offering,
            ended=jnp.array(False),
            truncated=clock >= self.rounds,
            deeds=deeds.astype(jnp.float32),
        )

    def toward(self, state: State) -> Array:
        return jnp.array([1, 0], jnp.int32)

    def facts(self, state: State) -> dict[str, Array]:
        """Of the round that the last step belonged to; accepted: 1 yes, 0 no, -1 not yet answered."""
        open_ = state.asked == ANSWER
        answer = jnp.where(state.last_answer < 0, -1, (state.last_answer == ACCEPT).astype(jnp.int32))
        return {"offer": jnp.where(open_, state.offer, state.last_offer), "accepted": jnp.where(open_, -1, answer)}

    def rules(self, seat: int) -> str:
        roles = f"You are the {self.roles[seat]}."
        if self.swap:
            roles = f"You are the {self.roles[seat]} in the first round; then the two change roles after every round."
        return (
            f"Two players share {self.pie} points in each of {self.rounds} rounds. The proposer offers a part of them to the responder, "
            f"who accepts or rejects. Accepted: the responder gets the offer, the proposer the rest. Rejected: both get nothing. {roles}"
        )

    def tell(self, state: State, seat: int) -> str:
        clock = int(state.clock)
        lines = [f"The {self.rounds} rounds are over."]
        if clock < self.rounds:
            lines = [f"Round {clock + 1}. You are the {self.roles[self._role(clock, seat)]}."]
        if state.last_offer >= 0:
            answer = "accepted" if state.last_answer == ACCEPT else "rejected"
            lines.append(f"Last round {self._offered(clock - 1, seat, int(state.last_offer))}; it was {answer}.")
        if state.offer >= 0:
            lines.append(f"This round {self._offered(clock, seat, int(state.offer))}.")
        return " ".join(lines)

    def scene(self, state: State) -> list[dict[str, Any]]:
        offer = int(state.offer if state.asked == ANSWER else state.last_offer)
        fill = "idle" if state.asked == ANSWER or state.last_answer < 0 else ("good", "bad")[int(state.last_answer)]
        first = self._role(max(int(state.clock) - int(state.asked == OFFER), 0), 0)  # seat 0's role when this offer was made
        shares = ("", "") if offer < 0 else (str(self.pie - offer), str(offer))
        return [
            {"shape": "circle", "x": 0.3 + 0.4 * i, "y": 0.5, "r": 0.12, "fill": fill, "text": shares[(i + first) % 2]} for i in range(2)
        ]

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        return self.scene(state)

    def yardsticks(self) -> dict[str, float]:
        return {"welfare": float(self.rounds * self.pie)}

    def oracles(self) -> list[Oracle]:
        total = float(self.rounds * self.pie)
        return [
            Oracle("welfare_sum", "floor", 0.0, "bound", "every offer rejected"),
            Oracle("welfare_sum", "ceiling", total, "bound", "every offer accepted: there is no more than the pie"),
            Oracle("gain", "floor", 0.0, "bound", "every offer rejected"),
            Oracle("gain", "ceiling", total / 2, "bound", "every offer accepted: there is no more than the pie"),
        ]

    def _role(self, clock: int, seat: int) -> int:
        return (seat + clock * self.swap) % 2

    def _offered(self, clock: int, seat: int, offer: int) -> str:
        you = "you offered" if self._role(clock, seat) == PROPOSER else "you were offered"
        return f"{you} {offer} of {self.pie}"
