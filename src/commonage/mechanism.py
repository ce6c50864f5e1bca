# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false
"""The contract of a mechanism: a game around a game. It appends its questions and acts between rounds."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Ask, Game, Legal, Oracle, Question, State, Turn, choose, layers, pad, width


class Layer(NamedTuple):
    """The state of a mechanism that keeps nothing of its own."""

    game: State  # the state of the game inside


class Mechanism(Game):
    """A game with a field `game`. What it doesn't override is the inner game's.

    Its state is a NamedTuple with the field `game`; one that keeps numbers of its own overrides `start`.
    """

    languages: ClassVar[tuple[str, ...]] = ("en",)  # those that its words are written in
    null: ClassVar[dict[str, Any]] = {}  # fields that make it do nothing while all seats are neutral; {}: as it is
    game: Game

    @property
    def own(self) -> tuple[Question, ...]:
        """The questions that this layer adds."""
        return ()

    @property
    def questions(self) -> tuple[Question, ...]:
        return self.game.questions + self.own

    @property
    def seats(self) -> int:  # type: ignore[override]
        return self.game.seats

    @property
    def rounds(self) -> int:  # type: ignore[override]
        return self.game.rounds

    @property
    def max_steps(self) -> int:
        return self.game.max_steps

    @property
    def round_steps(self) -> int:
        return self.game.round_steps

    def yardsticks(self) -> dict[str, float]:
        return self.game.yardsticks()

    def oracles(self) -> list[Oracle]:
        """The game's own, but for welfare, to which every layer adds."""
        return [oracle for oracle in self.game.oracles() if not oracle.measure.startswith("welfare")]

    @property
    def exact(self) -> bool:  # type: ignore[override]
        return self.game.exact

    @property
    def compiles(self) -> bool:  # type: ignore[override]
        return self.game.compiles

    @property
    def wide(self) -> bool:  # type: ignore[override]
        return self.game.wide

    @property
    def roles(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.game.roles

    @property
    def spares(self) -> bool:  # type: ignore[override]
        return self.game.spares

    @property
    def deeds(self) -> bool:  # type: ignore[override]
        return self.game.deeds

    @property
    def language(self) -> str:  # type: ignore[override]
        return self.game.language

    @property
    def label(self) -> str:
        """`talk`, and `talk#2` for the second talk from the inside: adding a layer renames no other."""
        below = sum(layer.name == self.name for layer in layers(self.game))
        return f"{self.name}#{below + 1}" if below else self.name

    def start(self, key: Array) -> State:
        return Layer(self.game.start(key))

    def ask(self, state: State) -> Ask:
        return pad(self.game.ask(state.game), width(self))

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        turn = self.game.step(key, state.game, moves)
        return turn._replace(state=state._replace(game=turn.state))

    def toward(self, state: State) -> Array:
        return self.game.toward(state.game)

    def witness(self, state: State) -> Array:
        return self.game.witness(state.game)

    def present(self, state: State) -> Array:
        return self.game.present(state.game)

    def look(self, state: State) -> Any:
        """What this layer adds to each seat's sight."""
        return ()

    def sights(self, state: State) -> dict[str, Any]:
        return {**self.game.sights(state.game), self.label: self.look(state)}

    def facts(self, state: State) -> dict[str, Array]:
        own = {f"{self.label}.{name}": value for name, value in self.numbers(state).items()}
        return {**self.game.facts(state.game), **own}

    def numbers(self, state: State) -> dict[str, Array]:
        """This layer's facts: `spent`, `fined`, `moved` hold what the last step took from or gave each seat."""
        return {}

    def rest(self, state: State) -> State:
        """The state with what the last step moved cleared: a layer around this one takes the next step for itself."""
        return state._replace(game=self.game.rest(state.game)) if isinstance(self.game, Mechanism) else state

    def rules(self, seat: int) -> str:
        return f"{self.game.rules(seat)}\n{self.adds(seat)}".strip()

    def adds(self, seat: int) -> str:
        """This layer's rules in plain English."""
        return ""

    def tell(self, state: State, seat: int) -> str:
        return f"{self.game.tell(state.game, seat)}\n{self.reports(state, seat)}".strip()

    def reports(self, state: State, seat: int) -> str:
        """What this layer adds to what a seat sees, in plain English."""
        return ""

    def scene(self, state: State) -> list[dict[str, Any]]:
        return self.game.scene(state.game)

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        return self.game.glimpse(state.game, seat)


class Phases(NamedTuple):
    """The state of a Phased mechanism."""

    game: State
    phase: Array  # int32[]: the number of the phase; `before` while the game plays
    clock: Array  # int32[]: steps of this layer's own phases and rounds so far: its stream goes by it
    fresh: Array  # bool[]: the game's next step is the first of its round
    deeds: Array  # float32[seats]: each seat's worst deed of the round; NaN none
    ended: Array  # bool[]: what the game said when its last round was over
    truncated: Array  # bool[]
    here: Array  # bool[seats]: who sat at the table in the round that was played last
    own: Any  # the mechanism's own arrays


class Phased(Mechanism):
    """A mechanism with phases of its own before or after each round; phase i asks its i-th question.

    Phases before a round come first thing in it; phases after it follow `round_over`. A phase in which
    nobody is asked is skipped. With `passes` above 1 those on a side are gone through again and again until
    nobody is asked: the mechanism counts, in its own arrays. After the last round only `closing` phases are
    held: a fine follows a collapse, a chat doesn't.
    """

    closing: ClassVar[bool] = False

    @property
    def before(self) -> int:
        """How many of its phases precede the round; the others follow it."""
        return 0

    @property
    def passes(self) -> int:
        """How often its phases are gone through in a round, at most. However many, the code holds each phase once."""
        return 1

    def begin(self, key: Array) -> Any:
        """The mechanism's own arrays before the first round."""
        raise NotImplementedError

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        """(bool[seats] who is asked in this phase, what is legal: `legal(self.own[phase], self.seats, ...)`)."""
        raise NotImplementedError

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Any, Array]:
        """(own arrays, rewards float32[seats]) after the moves of this phase; -1 = was not asked."""
        raise NotImplementedError

    def played(self, key: Array, state: Phases, turn: Turn) -> tuple[Any, Array]:
        """(own arrays, extra rewards) after a step of the game; `turn` is the game's, `state.deeds` counts it already."""
        return state.own, jnp.zeros(self.seats, jnp.float32)

    @property
    def max_steps(self) -> int:
        return self.game.max_steps + self.rounds * len(self.own) * self.passes

    @property
    def round_steps(self) -> int:
        return self.game.round_steps + len(self.own) * self.passes

    def start(self, key: Array) -> Phases:
        no, zero, none = jnp.array(False), jnp.int32(0), jnp.full(self.seats, jnp.nan, jnp.float32)
        inner = self.game.start(key)
        state = Phases(inner, zero, zero, ~no, none, no, no, self.game.present(inner), self.begin(key))
        return state._replace(phase=self._first(self._open(state), 0, self.before))

    def ask(self, state: Phases) -> Ask:
        ask = super().ask(state)
        first = len(self.game.questions)
        for i in range(len(self.own)):
            who, allowed = self._asked(state, i)
            mine = pad(Ask(jnp.where(who, first + i, -1).astype(jnp.int32), allowed), width(self))
            ask = choose(state.phase == self._place(i), mine, ask)
        return ask

    def step(self, key: Array, state: Phases, moves: Array) -> Turn:
        playing, state = state.phase == self.before, self.rest(state)
        turn = self.game.step(key, state.game, moves)
        worst = jnp.where(state.fresh, turn.deeds, jnp.fmin(state.deeds, turn.deeds))
        state = state._replace(deeds=jnp.where(playing, worst, state.deeds))
        own, rewards = self.played(key, state, turn)
        for i in range(len(self.own)):
            mine = state.phase == self._place(i)
            own, rewards = choose(mine, self.heard(key, state, i, moves), (own, rewards))
        over = playing & turn.round_over
        after = state._replace(
            game=choose(playing, turn.state, state.game),
            clock=state.clock + (~playing | turn.round_over),
            fresh=jnp.where(playing, turn.round_over, state.fresh),
            ended=jnp.where(playing, turn.ended, state.ended),
            truncated=jnp.where(playing, turn.truncated, state.truncated),
            here=jnp.where(playing, self.game.present(state.game), state.here),
            own=own,
        )
        return self._close(after, state.phase, playing, over, turn, rewards)

    def present(self, state: Phases) -> Array:
        """In the phases after a round those who were there in it: who comes now has no part in what follows on the last one."""
        return jnp.where(state.phase > self.before, state.here, self.game.present(state.game))

    def _asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        """`asked`, of those who sit at the table."""
        who, allowed = self.asked(state, phase)
        return who & self.present(state), allowed

    def _close(self, state: Phases, was: Array, playing: Array, over: Array, turn: Turn, rewards: Array) -> Turn:
        """The next phase: onwards within the round, or the first of the next one."""
        end, final, open_ = len(self.own) + 1, state.ended | state.truncated, self._open(state)
        onwards = self._onwards(open_, was)
        if not self.closing:
            onwards = jnp.where(final, end, onwards)
        stay = jnp.where(final, end, self.before)  # a stop in the middle of a round: nothing follows
        place = jnp.where(playing & ~over, stay, onwards)
        finished = place == end
        return Turn(
            state=state._replace(phase=jnp.where(finished, self._first(open_, 0, self.before), place)),
            rewards=jnp.where(playing, turn.rewards, 0) + rewards,
            round_over=finished & (over | ~playing),
            ended=finished & state.ended,
            truncated=finished & state.truncated,
            deeds=jnp.where(playing, turn.deeds, jnp.nan),
        )

    def _onwards(self, open_: list[Array], was: Array) -> Array:
        """The next place where somebody is asked; the phases before or after the round may begin again before it goes on."""
        end = len(open_)
        onwards = self._first(open_, was + 1, end)
        if self.passes == 1:
            return onwards
        later = was > self.before
        begin, leave = jnp.where(later, self.before + 1, 0), jnp.where(later, end, self.before)
        again = self._first(open_, begin, end)
        return jnp.where((was != self.before) & (onwards >= leave) & (again < leave), again, onwards)

    def _open(self, state: Phases) -> list[Array]:
        """bool[] for each place: whether somebody is asked there; in the game always."""
        mine = [self._asked(state, i)[0].any() for i in range(len(self.own))]
        return [*mine[: self.before], jnp.array(True), *mine[self.before :]]

    def _first(self, open_: list[Array], start: Array | int, end: int) -> Array:
        """The first open place from `start` on; `end` where there is none."""
        found = jnp.int32(end)
        for place in reversed(range(end)):
            found = jnp.where(open_[place] & (place >= start), place, found)
        return found.astype(jnp.int32)

    def _place(self, i: int) -> int:
        """The number of the i-th own phase: the game plays between those before and those after it."""
        return i if i < self.before else i + 1
