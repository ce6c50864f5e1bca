# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false
"""The contract of a game: rules as pure functions, sight as arrays, words, and a picture."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.errors import SpecError
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


class Legal(NamedTuple):
    """The moves low..high, less the options that are ruled out. Of one seat; in an Ask every field has leading axis seats.

    An amount is its range, however large: no array is as wide as it.
    """

    low: Any  # int32[]; like the others JAX's or NumPy's
    high: Any  # int32[]
    options: Any  # bool[width], width = most options of any question; false = ruled out; all true for an amount

    @property
    def ruled_out(self) -> Any:
        """bool[width]: options within the range that are not legal."""
        places = np.arange(self.options.shape[-1])
        return ~self.options & (self.low[..., None] <= places) & (places <= self.high[..., None])

    @property
    def size(self) -> Any:
        """int32[]: how many moves are legal."""
        return self.high - self.low + 1 - self.ruled_out.sum(-1)

    def has(self, move: Any) -> Any:
        """bool[]: whether a move is legal."""
        named = np.arange(self.options.shape[-1]) == move[..., None]
        return (self.low <= move) & (move <= self.high) & ~(named & ~self.options).any(-1)

    def nth(self, rank: Any) -> Any:
        """int32[]: the legal move with `rank` legal ones below it."""
        move, out = self.low + rank, self.ruled_out
        for i in range(self.options.shape[-1]):
            move = move + (out[..., i] & (i <= move))
        return move

    def nearest(self, wanted: Any) -> Any:
        """int32[]: the legal move nearest to the one wanted, the lower of two."""
        move = jnp.clip(wanted, self.low, self.high)
        places = np.arange(self.options.shape[-1])
        if not len(places):
            return move
        legal = self.options & (self.low[..., None] <= places) & (places <= self.high[..., None])
        ranked = jnp.where(legal, jnp.abs(places - move[..., None]) << 15 | places, 2**31 - 1)  # one minimum finds both
        return jnp.where(self.has(move), move, (ranked.min(-1) & (2**15 - 1)).astype(jnp.int32))

    def among(self, size: int) -> Any:
        """bool[size]: which of the first `size` moves are legal."""
        places = np.arange(size)
        named = self.options.shape[-1]
        options = jnp.concatenate([self.options, jnp.ones((*self.options.shape[:-1], max(size - named, 0)), bool)], -1)[..., :size]
        return options & (self.low[..., None] <= places) & (places <= self.high[..., None])


class Ask(NamedTuple):
    """Who is asked what."""

    which: Array  # int32[seats] into questions; -1: this seat waits, is not called, nothing is logged
    legal: Legal  # of every seat


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
    `seeds` by (key, self.label, its own clock). `rules`, `tell`, `scene` and `glimpse` get NumPy state, outside jit.
    A move of -1 is no move: the seat was not asked, or has retired.
    """

    exact: ClassVar[bool] = True  # decisions are made on integers: both runners agree to the bit
    roles: ClassVar[tuple[str, ...]] = ()  # names of the places where they differ; forbids permuting seats
    spares: ClassVar[bool] = False  # can go on when a seat retires
    deeds: ClassVar[bool] = True  # some moves are deeds, cooperative or not
    wide: ClassVar[bool] = False  # its state is large, a map: compiled matches lie one after another, not interleaved
    lasting: ClassVar[tuple[str, ...]] = ()  # parameters by which its state was laid out: a fork cannot change them
    private: ClassVar[tuple[str, ...]] = ()  # fields of its state, rows by seat, of which nobody sees another's
    open_scene: ClassVar[bool] = True  # its picture shows nothing that one seat alone may see

    @property
    def seats(self) -> int:
        """Places at the table; a static field in most games."""
        raise NotImplementedError

    @property
    def rounds(self) -> int:
        """Rounds in a match, at most; a static field in most games."""
        raise NotImplementedError

    @property
    def language(self) -> str:
        """What `rules` and `tell` speak; a static field of a game that speaks several."""
        return "en"

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

    def present(self, state: State) -> Array:
        """bool[seats]: who sits at the table; one who comes later, or has left, is asked nothing and known by nobody."""
        return jnp.ones(self.seats, bool)

    def rules(self, seat: int) -> str:
        """The rules in plain English, as this seat reads them: facts, never advice."""
        raise NotImplementedError

    def tell(self, state: State, seat: int) -> str:
        """What this seat sees now, in plain English: the same as its sight."""
        raise NotImplementedError

    def scene(self, state: State) -> list[dict[str, Any]]:
        """A picture: shapes as dicts of plain numbers and texts, in the order in which they are drawn; [] = the game has none.

        x goes to the right, y down, in units of about the longer side of the picture, which is cropped to what its shapes cover:

            rect    x, y (upper left corner), w, h
            circle  x, y (centre), r
            bar     x, y, w, h, value (0..1): a box, filled so far from below; from the left where it is wider than high
            text    x, y (its middle), text; size: of its letters, 0.04 if it has none

        `text` may stand on every shape: in the middle, as large as fits. `fill` is the name of a colour, light and dark in
        `measure.style`: floor, wall, unseen, water, dirt, apple, green token, red token, good, bad, idle, of a kitchen counter, onion box,
        tomato box, dish stack, pot, serving, onion, tomato and dish, ink (what text is written in), none (an outline), or seat, with
        `seat`: the place in the game whose colour it is. Any other name gets one of the seats' colours.
        """
        return []

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        """What of the scene this seat sees: like `tell` no more than its sight. [] = words only, unless the game says more."""
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


def must_compile(game: Game, what: str) -> Game:
    """The game. Raises SpecError where it is plain Python, which `what` cannot use."""
    if not game.compiles:
        raise SpecError(f"{base(game).name} is plain Python and does not compile, so that {what} cannot play it: play, replay and fork can")
    return game


def at_start(game: Game, face: Callable[[State], Any]) -> Any:
    """What a face gives of some first state: its outline where the game compiles, since then nothing need be computed."""
    look = lambda: face(game.start(seeds.root(0)))
    return jax.eval_shape(look) if game.compiles else look()


def owners(game: Game) -> tuple[str, ...]:
    """For each question the label of the layer that asks it."""
    out: list[str] = []
    for layer in layers(game):
        out += [layer.label] * (len(layer.questions) - len(out))
    return tuple(out)


def width(game: Game) -> int:
    """The most options of any question; 0 where all are amounts."""
    return max(len(question.options) for question in game.questions)


def legal(question: Question, seats: int, *, low: Any = 0, high: Any = None, options: Array | None = None) -> Legal:
    """What every seat may answer: all of it, or low..high (indices, [] or [seats]), or bool[seats, options]."""
    most = question.size - 1 if high is None else high
    rows = jnp.ones((seats, len(question.options)), bool) if options is None else options
    each = lambda end: jnp.broadcast_to(jnp.asarray(end, jnp.int32), seats)
    return Legal(each(low), each(most), rows)


def everyone(game: Game, question: int = 0, **limits: Any) -> Ask:
    """An Ask that puts one question to all seats; `limits` as in `legal`."""
    return pad(Ask(jnp.full(game.seats, question, jnp.int32), legal(game.questions[question], game.seats, **limits)), width(game))


def pad(ask: Ask, to: int) -> Ask:
    """The same, with room for `to` options."""
    options = ask.legal.options
    return ask._replace(legal=ask.legal._replace(options=jnp.pad(options, ((0, 0), (0, to - options.shape[1])), constant_values=True)))


@functools.partial(jax.jit, inline=True)  # traced once for states of one structure
def choose(pred: Array, yes: Any, no: Any) -> Any:
    """`yes` where the scalar `pred` holds, else `no`, for whole pytrees."""
    return jax.tree.map(lambda a, b: jnp.where(pred, a, b), yes, no)


def once(compute: Callable[[], Any], unknown: Array) -> Any:
    """What `compute` gives, computed once. XLA's CPU compiler repeats a computation in every use of its result, and in
    theirs, so that towers of mechanisms would take several times as long to compile and to run; it does not so with a loop.

    `unknown` is any array of the match, from which it counts: were it plain that the loop runs once it would be taken apart.
    """
    first = jnp.ravel(unknown)[0].astype(jnp.int32)
    blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(compute))
    return jax.lax.while_loop(lambda loop: loop[0] == first, lambda loop: (loop[0] + 1, compute()), (first, blank))[1]


def divide(a: Any, b: Any) -> Any:
    """a // b for 0 <= a < 2^31, b > 0 and quotients below 2^22. Exact, and faster: CPUs divide integers one at a time."""
    if not isinstance(a, jax.Array) and not isinstance(b, jax.Array):
        return a // b  # on the host
    a, b = jnp.asarray(a, jnp.int32), jnp.asarray(b, jnp.int32)
    quotient = (a.astype(jnp.float32) / b.astype(jnp.float32)).astype(jnp.int32)
    rest = a - quotient * b
    return quotient + (rest >= b) - (rest < 0)


def numpy(tree: Any) -> Any:
    """The same pytree in NumPy, for `rules`, `tell` and `scene`."""
    return jax.tree.map(np.asarray, tree)
