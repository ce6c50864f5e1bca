"""The contract of a game: rules as pure functions, sight as arrays, words, and a picture."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.part import Part

State = Any  # a NamedTuple of arrays; a mechanism's has a field `game`, the state of the game inside
Sight = Any  # a NamedTuple of arrays, leading axis = seats


class Question(NamedTuple):
    """What a seat may be asked; static. A move is an index into it."""

    name: str  # "harvest", "fine whom", "say"
    options: tuple[str, ...] = ()  # names, or
    amount: tuple[int, int] = (0, -1)  # low..high, whole units of
    unit: str = ""  # "tons", "per cent"
    neutral: int = 0  # what a policy without a part for this question plays
    speech: bool = False  # option 1 = "in words": the text is kept under (match, step, seat)

    @property
    def size(self) -> int:
        """How many moves there are."""
        return len(self.options) or self.amount[1] - self.amount[0] + 1

    def say(self, move: int) -> str:
        """A move in words: `cooperate`, `10`."""
        return self.options[move] if self.options else str(self.amount[0] + move)


class Ask(NamedTuple):
    """Who is asked what."""

    which: Array  # int32[seats] into questions; -1: this seat waits, is not called, nothing is logged
    legal: Array  # bool[seats, width], width = the largest question


class Turn(NamedTuple):
    """What a step did."""

    state: State
    rewards: Array  # float32[seats]
    round_over: Array  # bool[]: mechanisms act now
    ended: Array  # bool[]: the game itself is over (a collapse)
    truncated: Array  # bool[]: only the clock ran out: learners bootstrap
    deeds: Array  # float32[seats]: 1 cooperative by this game's own definition, 0 not, between: in part; NaN no deed


class Oracle(NamedTuple):
    """A floor or a ceiling that stands beside a score."""

    measure: str  # the measure's name
    side: str  # "floor" or "ceiling"
    value: float
    label: str  # "bound" where proved, "reference" where only the best or worst known
    why: str  # the play that reaches it, or the proof in one line


class Game(Part):
    """Rules that everybody at the table shares. Subclass it: the fields are the configuration.

    `start`, `ask`, `look`, `step`, `toward`, `facts`, `witness` are pure and jittable; a game draws with
    `seeds` by (key, self.label, its own clock). `rules`, `tell` and `scene` get NumPy state, outside jit.
    A move of -1 is no move: the seat was not asked, or has retired.
    """

    exact: ClassVar[bool] = True  # decisions are made on integers: both runners agree to the bit
    roles: ClassVar[tuple[str, ...]] = ()  # names of the places where they differ; forbids permuting seats
    spares: ClassVar[bool] = False  # can go on when a seat retires
    private: ClassVar[tuple[str, ...]] = ()  # fields of its state, rows by seat, of which nobody sees another's

    @property
    def seats(self) -> int:
        """Places at the table; a static field in most games."""
        raise NotImplementedError

    @property
    def rounds(self) -> int:
        """Rounds in a match, at most; a static field in most games."""
        raise NotImplementedError

    @property
    def questions(self) -> tuple[Question, ...]:
        """Everything that a seat may be asked."""
        raise NotImplementedError

    def start(self, key: Array) -> State:
        """The state before the first question."""
        raise NotImplementedError

    def ask(self, state: State) -> Ask:
        """Who is asked what now."""
        raise NotImplementedError

    def look(self, state: State) -> Sight:
        """What each seat sees: a NamedTuple of arrays, leading axis = seats."""
        raise NotImplementedError

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        """One step: `key` is the match's constant key, `moves` int32[seats]."""
        raise NotImplementedError

    def toward(self, state: State) -> Array:
        """int32[seats]: whom a seat's deed concerns now, -1 = all."""
        return jnp.full(self.seats, -1, jnp.int32)

    def facts(self, state: State) -> dict[str, Array]:
        """Numbers of the state, each [] or [seats], recorded after every step."""
        return {}

    def witness(self, state: State) -> Array:
        """bool[seats, seats]: who knows (row) whose (column) deeds of the last round."""
        return jnp.ones((self.seats, self.seats), bool)

    def rules(self, seat: int) -> str:
        """The rules in plain English, as this seat reads them: facts, never advice."""
        raise NotImplementedError

    def tell(self, state: State, seat: int) -> str:
        """What this seat sees now, in plain English: the same as its sight."""
        raise NotImplementedError

    def scene(self, state: State) -> list[dict[str, Any]]:
        """A picture: shapes as dicts ({"shape": "rect" | "circle" | "text" | "bar", ...}), 0..1 coordinates."""
        return []

    def oracles(self) -> list[Oracle]:
        """Floors and ceilings that exist in closed form or by solving."""
        return []

    def yardsticks(self) -> dict[str, float]:
        """Numbers that measures compare with: `welfare`, the total that efficiency calls 1, and a game's own."""
        return {}

    @property
    def round_steps(self) -> int:
        """Steps in a round, at most."""
        return 1

    @property
    def max_steps(self) -> int:
        """Steps in a match, at most."""
        return self.rounds * self.round_steps

    @property
    def label(self) -> str:
        """The layer's name in a tower; its random stream and its facts go by it."""
        return self.name

    def sights(self, state: State) -> dict[str, Sight]:
        """The sight of every layer, by label; the base game first."""
        return {self.label: self.look(state)}


def layers(game: Game) -> tuple[Game, ...]:
    """The base game first, then each mechanism around it."""
    inner = getattr(game, "game", None)
    return (*layers(inner), game) if isinstance(inner, Game) else (game,)


def base(game: Game) -> Game:
    """The game inside all mechanisms."""
    return layers(game)[0]


def owners(game: Game) -> tuple[str, ...]:
    """For each question the label of the layer that asks it."""
    out: list[str] = []
    for layer in layers(game):
        out += [layer.label] * (len(layer.questions) - len(out))
    return tuple(out)


def width(game: Game) -> int:
    """The size of the largest question."""
    return max(question.size for question in game.questions)


def everyone(game: Game, question: int = 0, legal: Array | None = None) -> Ask:
    """An Ask that puts one question to all seats; `legal` is bool[seats, size] or all true."""
    size = game.questions[question].size
    rows = jnp.ones((game.seats, size), bool) if legal is None else legal
    return Ask(jnp.full(game.seats, question, jnp.int32), pad(rows, width(game)))


def pad(legal: Array, to: int) -> Array:
    """bool[seats, size] filled with false up to bool[seats, to]."""
    return jnp.pad(legal, ((0, 0), (0, to - legal.shape[1])))


def choose(pred: Array, yes: Any, no: Any) -> Any:
    """`yes` where the scalar `pred` holds, else `no`, for whole pytrees."""
    return jax.tree.map(lambda a, b: jnp.where(pred, a, b), yes, no)


def numpy(tree: Any) -> Any:
    """The same pytree in NumPy, for `rules`, `tell` and `scene`."""
    return jax.tree.map(np.asarray, tree)
