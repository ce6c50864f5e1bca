"""Propose and vote: every so many rounds the group sets a norm, a limit on the game's first question (after Gupta et al. 2025).

The norm is told to all and binds nobody: whoever breaks it meets nothing but what a `monitor` around it does. Collective choice of
the rules by those who live under them is one of Ostrom's principles (1990).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.errors import Unfit
from commonage.game import Legal, Question, Turn, base, legal
from commonage.mechanism import Phased, Phases
from commonage.part import static


class Own(NamedTuple):
    round: Array  # int32[]: rounds played
    limit: Array  # int32[]: the norm, as a move of the game's first question
    fresh: Array  # bool[]: it was set before this round
    proposed: Array  # int32[seats]: what each seat proposed last, -1 nothing yet
    offer: Array  # int32[]: what is voted on, -1 nothing
    did: Array  # int32[seats]: each seat's answer to the game's first question in this round, -1 none


class Sight(NamedTuple):
    asked: Array  # int32[seats]: 0 propose, 1 vote
    limit: Array  # int32[seats]: the norm, as a move of the game's first question
    fresh: Array  # bool[seats]: it was set before this round
    offer: Array  # int32[seats]: what is voted on, -1 nothing


class Norm(Phased):
    """Before every `every`-th round a norm is set, 0 = never: the most (`least`: the least) of the first question that one should choose.

    `rule="median"`: everybody proposes, and the norm is the median, the lower of two. `rule="majority"`: one seat proposes, by turns,
    and the others vote; the proposer's counts as a yes, and it becomes the norm if more than half say yes: a tie leaves the norm as it is.
    """

    game: Any
    rule: str = static(default="median")
    every: int = static(default=1)
    least: bool = static(default=False)
    limit: int = -1  # the norm before the first vote; -1: none, everything keeps it

    private = ("did",)

    def check(self) -> None:
        self.require(self.rule in ("median", "majority"), "rule", "median or majority")
        self.require(self.every >= 0, "every", "a number of rounds, or 0 for never")
        first = base(self.game).questions[0]
        if first.options:
            raise Unfit(
                f"norm is a limit on the first amount that a game asks for; {base(self.game).name} asks for {' or '.join(first.options)}"
            )
        low, high = first.amount
        self.require(self.limit == -1 or low <= self.limit <= high, "limit", f"an amount, {low} to {high}, or -1 for none")

    @property
    def own(self) -> tuple[Question, ...]:
        if not self.every:
            return ()  # the norm is given, nobody is asked
        first = base(self.game).questions[0]
        propose = Question("propose", amount=first.amount, unit=first.unit, neutral=self._none)
        return (propose, Question("vote", ("no", "yes"))) if self.rule == "majority" else (propose,)

    @property
    def _none(self) -> int:
        """The norm that everything keeps."""
        return 0 if self.least else base(self.game).questions[0].size - 1

    @property
    def before(self) -> int:
        return len(self.own)

    def begin(self, key: Array) -> Own:
        none = jnp.full(self.seats, -1, jnp.int32)
        given = jnp.where(jnp.asarray(self.limit) < 0, self._none, self.limit - base(self.game).questions[0].amount[0])
        return Own(jnp.int32(0), given.astype(jnp.int32), jnp.array(False), none, jnp.int32(-1), none)

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        own = state.own
        proposes = jnp.ones(self.seats, bool) if self.rule == "median" else jnp.arange(self.seats) == self._turn(own)
        who = proposes & (own.round % self.every == 0) if phase == 0 else ~proposes & (own.offer >= 0)
        return who, legal(self.own[phase], self.seats)

    def _turn(self, own: Own) -> Array:
        """int32[]: whose turn it is to propose."""
        return own.round // self.every % self.seats

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Own, Array]:
        none, own = jnp.zeros(self.seats, jnp.float32), state.own
        if phase == 1:
            yes, said = (moves == 1).sum() + 1, (moves >= 0).sum() + 1
            return self._set(own._replace(offer=jnp.int32(-1)), own.offer, 2 * yes > said), none
        own = own._replace(proposed=jnp.where(moves >= 0, moves, own.proposed))
        if self.rule == "majority":
            return own._replace(offer=moves.max()), none
        count = (moves >= 0).sum()
        ranked = jnp.sort(jnp.where(moves >= 0, moves, jnp.iinfo(jnp.int32).max))
        return self._set(own, ranked[jnp.maximum(count - 1, 0) // 2], count > 0), none

    def _set(self, own: Own, limit: Array, adopted: Array) -> Own:
        return own._replace(limit=jnp.where(adopted, limit, own.limit).astype(jnp.int32), fresh=own.fresh | adopted)

    def step(self, key: Array, state: Phases, moves: Array) -> Turn:
        mine = (state.phase == self.before) & (self.game.ask(state.game).which == 0)
        did = jnp.where((state.phase == self.before) & state.fresh, -1, state.own.did)
        return super().step(key, state._replace(own=state.own._replace(did=jnp.where(mine, moves, did))), moves)

    def played(self, key: Array, state: Phases, turn: Turn) -> tuple[Own, Array]:
        own, over = state.own, turn.round_over
        return own._replace(round=own.round + over, fresh=own.fresh & ~over), jnp.zeros(self.seats, jnp.float32)

    def look(self, state: Phases) -> Sight:
        each, own = (lambda x: jnp.broadcast_to(x, self.seats)), state.own
        vote = (state.phase == 1) if self.rule == "majority" else jnp.array(False)
        return Sight(each(vote.astype(jnp.int32)), each(own.limit), each(own.fresh), each(own.offer))

    def numbers(self, state: Phases) -> dict[str, Array]:
        own = state.own
        broken = (own.did >= 0) & ((own.did < own.limit) if self.least else (own.did > own.limit))
        return {"limit": own.limit, "proposed": own.proposed, "broken": broken}

    def adds(self, seat: int) -> str:
        first, at = base(self.game).questions[0], "least" if self.least else "most"
        norm = f"the group's norm, the {at} that one should choose at '{first.name}'. It binds nobody"
        if not self.every:
            return f"There is {norm}."
        when = "Before each round" if self.every == 1 else f"Before every {self.every}th round, from the first,"
        how = {
            "median": f"{when} everybody proposes {norm}. It is the median of what is proposed, the lower of two.",
            "majority": f"{when} one seat, by turns, proposes {norm}. The others vote; it becomes the norm if more than half, the one who "
            "proposes among them, are for it.",
        }
        return how[self.rule]

    def reports(self, state: Phases, seat: int) -> str:
        own, first = state.own, base(self.game).questions[0]
        say = lambda move: f"{first.say(int(move))} {first.unit}".strip()
        at = "least" if self.least else "most"
        lines = ["There is no norm." if int(own.limit) == self._none else f"The norm: at {at} {say(own.limit)}."]
        if own.offer >= 0:
            lines.append(f"Seat {int(self._turn(own)) + 1} proposes: at {at} {say(own.offer)}.")
        return " ".join(lines)
