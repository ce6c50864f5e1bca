"""Cheap talk: one thing to all, at the same time, one after another, or on an open floor (Farrell & Rabin 1996; Piatti et al. 2024).

Policies say one of the `signals`; a sentence is kept by the runner and handed on as quoted data. Nothing that is said
binds or costs anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Legal, Question, Turn, legal
from commonage.mechanism import Phased, Phases
from commonage.mechanisms.talk.words import WORDS, Words
from commonage.part import static

NOTHING, IN_WORDS, FIRST = 0, 1, 2  # the signals follow
SAY, NEXT = 0, 1  # the questions


class Own(NamedTuple):
    heard: Array  # int32[seats, seats]: the option that each seat (column) said last, as each seat (row) heard it
    round: Array  # int32[]: rounds played, where it matters for who begins
    turn: Array  # int32[]: turns of this talk that are over
    floor: Array  # int32[]: who has the floor; from one who has retired it falls to the next seat
    gone: Array  # bool[seats]: asked, but gave no move: the seat has retired


class Sight(NamedTuple):
    asked: Array  # int32[seats]: 0 say, 1 next
    floor: Array  # int32[seats]: who has the floor; -1 nobody: there is no talk now, or all speak at once
    heard: Array  # int32[seats, seats]: the option that each seat (column) said last, as each seat (row) heard it; 0 nothing


class Talk(Phased):
    """Before each round, or after it, seats say nothing, something in words, or one of the `signals`.

    `order` together: all at the same time. turn: one after another, each hears those before; who begins moves on by a
    seat each round, so that in a match of any length all begin about equally often, and everybody can know who is next.
    floor: who begins is drawn; who has spoken names the next seat, or nobody, which ends the talk (Piatti et al. 2024).
    There are `turns` of them at most; 0 = 1 together, as many as seats in turn, 10 on the floor. A retired seat is
    passed over. In turn and on the floor a talk begins in silence: what was said in the last one is heard no more.

    With probability `misheard` a listener hears another signal than was said, all equally likely; words are heard right.
    A talk after the last round or after a collapse is not held.
    """

    game: Any
    when: str = static(default="before")
    signals: tuple[str, ...] = static(default=WORDS["en"].signals)
    order: str = static(default="together")
    turns: int = static(default=0)
    misheard: float = 0.0

    private = ("heard",)
    languages = tuple(WORDS)

    def check(self) -> None:
        self.require(self.when in ("before", "after"), "when", "before or after")
        options = self.own[SAY].options
        self.require(all(self.signals) and len(set(options)) == len(options), "signals", "distinct sentences")
        self.require(self.order in ("together", "turn", "floor"), "order", "together, turn or floor")
        self.require(self.turns >= 0, "turns", "at least 1, or 0 for as many as the order has")
        self.require(0 <= self.misheard <= 1, "misheard", "between 0 and 1")

    @property
    def words(self) -> Words:
        """What it says."""
        return WORDS.get(self.language, WORDS["en"])

    @property
    def own(self) -> tuple[Question, ...]:
        words = self.words
        signals = words.signals if self.signals == WORDS["en"].signals else self.signals
        say = Question(words.say, (words.nothing, words.in_words, *signals), speech=True)
        following = Question(words.next, (words.nobody, *(words.seat.format(seat=i + 1) for i in range(self.seats))))
        return (say, following) if self.order == "floor" else (say,)

    @property
    def before(self) -> int:
        return len(self.own) if self.when == "before" else 0

    @property
    def passes(self) -> int:
        return self.turns or {"together": 1, "turn": self.seats, "floor": 10}[self.order]

    def begin(self, key: Array) -> Own:
        nothing, zero = jnp.full((self.seats, self.seats), NOTHING, jnp.int32), jnp.int32(0)
        return Own(nothing, zero, zero, self._begins(key, zero), jnp.zeros(self.seats, bool))

    def played(self, key: Array, state: Phases, turn: Turn) -> tuple[Own, Array]:
        own, over = state.own, turn.round_over
        anew = own._replace(turn=jnp.where(over, 0, own.turn))
        if self.order != "together":
            round = own.round + over
            heard, floor = jnp.where(over, NOTHING, own.heard), jnp.where(over, self._begins(key, round), own.floor)
            anew = anew._replace(heard=heard, round=round, floor=floor)
        return anew, jnp.zeros(self.seats, jnp.float32)

    def _begins(self, key: Array, round: Array) -> Array:
        """int32[]: who has the floor first."""
        if self.order == "floor":
            return seeds.below(seeds.fold(key, self.label, round), self.seats)
        return round % self.seats if self.order == "turn" else jnp.int32(0)

    def _speaks(self, state: Phases) -> tuple[Array, Array]:
        """(bool[seats] who speaks, int32[] in which turn): the first from the floor on who is there and has not retired."""
        own, away = state.own, state.own.gone | ~self.present(state)
        if self.order == "together":
            return self.present(state), own.turn
        after = jnp.where(away, self.seats, (jnp.arange(self.seats) - own.floor) % self.seats)
        return after == after.min(), own.turn + after.min()

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        who, turn = self._speaks(state)
        who &= turn < self.passes
        if phase == SAY:
            return who, legal(self.own[SAY], self.seats)
        here = jnp.arange(self.seats) == state.own.floor  # else the one who had it retired before speaking
        others = jnp.append(False, state.own.gone | ~self.present(state)) | jnp.eye(self.seats, self.seats + 1, k=1, dtype=bool)
        return who & here, legal(self.own[NEXT], self.seats, options=~others)

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Own, Array]:
        own, (who, turn) = state.own, self._speaks(state)
        after = self._said(key, state, who, turn, moves) if phase == SAY else self._named(own, jnp.where(who, moves, -1).max())
        return after._replace(gone=own.gone | (who & (moves < 0))), jnp.zeros(self.seats, jnp.float32)

    def _said(self, key: Array, state: Phases, who: Array, turn: Array, moves: Array) -> Own:
        """After a turn: all have heard who spoke, and in turn the floor moves on."""
        spoke = (who & (moves >= 0)).any()
        heard = jnp.where(who, self._reaches(seeds.nth(seeds.fold(key, self.label), state.clock), moves), state.own.heard)
        own = state.own._replace(heard=heard, turn=turn + spoke)
        if self.order == "together":
            return own
        floor = jnp.argmax(who) + (spoke if self.order == "turn" else 0)
        return own._replace(floor=(floor % self.seats).astype(jnp.int32))

    def _named(self, own: Own, named: Array) -> Own:
        """After `next`: 0 nobody, and the talk is over; -1 no move, the one to name has retired."""
        floor = jnp.where(named > 0, named - 1, own.floor)
        return own._replace(turn=jnp.where(named == 0, self.passes, own.turn), floor=floor)

    def _reaches(self, key: Array, moves: Array) -> Array:
        """int32[seats, seats]: what each seat (row) hears each (column) say."""
        said = jnp.broadcast_to(jnp.maximum(moves, NOTHING), (self.seats, self.seats))  # a retired seat says nothing
        others = len(self.signals) - 1
        if others < 1:
            return said
        slips = seeds.chance(key, self.misheard, said.shape) & (said >= FIRST) & ~self._oneself
        other = FIRST + (seeds.below(key, others, said.shape, at=said.size) if others > 1 else 0)
        return jnp.where(slips, other + (other >= said), said)

    @property
    def _oneself(self) -> Array:
        return jnp.eye(self.seats, dtype=bool)

    def look(self, state: Phases) -> Sight:
        each = lambda x: jnp.broadcast_to(jnp.asarray(x, jnp.int32), self.seats)
        asked = state.phase == self._place(NEXT) if self.order == "floor" else 0
        return Sight(each(asked), each(self._floor(state)), state.own.heard)

    def _floor(self, state: Phases) -> Array:
        """int32[]: who has the floor, -1 nobody."""
        if self.order == "together":
            return jnp.int32(-1)
        return jnp.where(state.phase == self.before, -1, jnp.argmax(self._speaks(state)[0]))

    def numbers(self, state: Phases) -> dict[str, Array]:
        return {"said": jnp.where(self._oneself, state.own.heard, NOTHING).max(0)}

    def adds(self, seat: int) -> str:
        words = self.words
        turns = words.one_turn if self.passes == 1 else words.turns.format(count=self.passes)
        times = words.times.format(count=self.passes) if self.passes > 1 else ""
        rules = words.rules.format(when=words.when[self.when], how=words.how[self.order].format(turns=turns, times=times))
        return rules + (words.misheard.format(per_cent=float(self.misheard) * 100) if self.misheard else "")

    def reports(self, state: Phases, seat: int) -> str:
        words, heard, floor = self.words, state.own.heard[seat], int(self._floor(state))
        lines = [self._tells(i, int(option), i == seat) for i, option in enumerate(heard) if option != NOTHING]
        if floor >= 0:
            lines.append(words.your_floor if floor == seat else words.floor.format(seat=floor + 1))
        return words.gap.join(lines)

    def _tells(self, speaker: int, option: int, mine: bool) -> str:
        words = self.words
        who = words.you if mine else words.other.format(seat=speaker + 1)
        said = words.spoke if option == IN_WORDS else words.heard if self.misheard and not mine else words.said
        return said.format(who=who, seat=speaker + 1, sentence=self.own[SAY].options[option])
