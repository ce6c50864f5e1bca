"""Matches for the checks: many at once, step by step, every state kept. Moves are drawn in NumPy, so one compilation
serves every way of playing.
"""

from __future__ import annotations

import functools
import zlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from commonage import seeds
from commonage.game import Ask, Game, Turn, choose, owners
from commonage.learn.rollout import QUICK

MATCHES = 32
KEYS = np.stack([np.asarray(seeds.root(7 + i)) for i in range(MATCHES)])
SHARES = np.array([1, 1 / 8, 1, 1 / 2])  # of what is legal, by match


class Played(NamedTuple):
    """What happened, in NumPy, with leading axes [steps, matches]; what is after a match's end repeats its last state."""

    keys: Any  # uint32[matches, 2]
    live: np.ndarray  # bool: this step was played
    states: Any  # before each step, and after the last: [steps + 1, matches, ...]
    asks: Ask  # likewise
    facts: dict[str, np.ndarray]  # likewise
    toward: np.ndarray  # likewise
    moves: np.ndarray  # int32[..., seats]
    turns: Turn  # without its state

    @property
    def finished(self) -> np.ndarray:
        """bool[matches]."""
        return ~self.live[-1] | ((self.turns.ended | self.turns.truncated) & self.live)[-1]

    def state(self, step: int, match: int) -> Any:
        """One state."""
        return jax.tree.map(lambda leaf: leaf[step, match], self.states)


class Player:
    """Every seat draws uniformly among what is legal; from the `free`-th question on it answers its neutral.

    A draw goes by (match, layer, seat, count of this layer's questions to it), as a policy's does: the same base
    moves under every tower. Of the base game some matches know only the first half or eighth of what is legal: where
    all would take all, little is seen. `order`: the seat in place i plays as the one in place order[i] would. From its first
    question on a `gone` seat makes no move: it has retired.
    """

    def __init__(self, game: Game, free: int | None = None, order: Any = None, gone: Any = ()) -> None:
        labels = list(dict.fromkeys(owners(game)))
        self.owner = np.array([labels.index(label) for label in owners(game)])
        self.neutral = np.array([question.neutral for question in game.questions])
        self.free = len(game.questions) if free is None else free
        self.order = np.arange(game.seats) if order is None else np.asarray(order)
        self.gone = np.isin(np.arange(game.seats), gone)
        shape = (game.max_steps, MATCHES, game.seats)  # a longer match starts with the same draws
        self.draws = np.stack([np.random.default_rng(zlib.crc32(label.encode())).integers(0, 2**31, shape) for label in labels])
        self.count = np.zeros((len(labels), MATCHES, game.seats), int)

    def __call__(self, ask: Ask) -> np.ndarray:
        """int32[matches, seats]."""
        asked, matches = ask.which >= 0, len(ask.which)
        layer, (match, seat) = self.owner[ask.which], np.indices(ask.which.shape)
        word = self.draws[layer, self.count[layer, match, seat], match, self.order[seat]]
        some = np.ceil(ask.legal.size * np.where(layer == 0, SHARES[match % len(SHARES)], 1))
        rank = word % np.maximum(some.astype(int), 1)
        drawn = ask.legal.nth(rank)
        for i in range(len(self.count)):
            self.count[i, :matches] += asked & (layer == i)
        moves = np.where(ask.which < self.free, drawn, self.neutral[ask.which])
        return np.where(asked & ~self.gone, moves, -1).astype(np.int32)


def play(game: Game, player: Any = None, keys: Any = KEYS) -> Played:
    """Matches with these keys, to their end or through `max_steps` steps."""
    player = player or Player(game)
    live, moves = np.ones(len(keys), bool), np.full((len(keys), game.seats), -1, np.int32)
    zeros = jax.tree.map(lambda leaf: np.zeros((len(keys), *leaf.shape), leaf.dtype), jax.eval_shape(game.start, keys[0]))
    turn, now = jax.device_get(_advance(game, keys, zeros, moves, live, True))
    rows = [(turn.state, *now)]
    steps: list[Any] = []
    while live.any() and len(steps) < game.max_steps:
        moves = player(rows[-1][1])
        turn, now = jax.device_get(_advance(game, keys, rows[-1][0], moves, live, False))
        rows.append((turn.state, *now))
        steps.append((live, moves, turn._replace(state=())))
        live = live & ~turn.ended & ~turn.truncated
    (states, asks, facts, toward), (lives, moves, turns) = _stack(rows), _stack(steps)
    return Played(keys, lives, states, asks, facts, toward, moves, turns)


def again(game: Game, played: Played, matches: int) -> Played:
    """The first so many matches once more by their moves, compiled for this batch size."""
    moves = iter(played.moves[:, :matches])
    return play(game, lambda ask: next(moves, np.full(ask.which.shape, -1, np.int32)), played.keys[:matches])


def part(played: Played, matches: int) -> Played:
    """The first so many matches, as long as one of them lasts."""
    steps = int(played.live[:, :matches].any(1).sum())
    cut = lambda tree, steps: jax.tree.map(lambda leaf: leaf[:steps, :matches], tree)
    before = {name: cut(getattr(played, name), steps + 1) for name in ("states", "asks", "facts", "toward")}
    during = {name: cut(getattr(played, name), steps) for name in ("live", "moves", "turns")}
    return Played(keys=played.keys[:matches], **before, **during)


def forward(game: Game, played: Played, step: int, moves: np.ndarray) -> Any:
    """The states after other moves in one step of all matches."""
    before = jax.tree.map(lambda leaf: leaf[step], played.states)
    return _advance(game, played.keys, before, moves, played.live[step], False)[0].state


def inner(game: Game, played: Played) -> Turn:
    """What the game inside a played mechanism does with the same moves, in its states: a Turn, [steps, matches]."""
    rows = []
    for t in range(len(played.live)):
        state = jax.tree.map(lambda leaf: leaf[t], played.states.game)  # noqa: B023
        rows.append(jax.device_get(_advance(game, played.keys, state, played.moves[t], played.live[t], False)[0]))
    return _stack(rows)


@functools.partial(jax.jit, compiler_options=QUICK)
def see(game: Game, states: Any) -> Any:
    """(sights, witness) of states with a leading axis [n]."""
    return jax.vmap(lambda state: (game.sights(state), game.witness(state)))(states)


@functools.partial(jax.jit, compiler_options=QUICK)
def _advance(game: Game, keys: Any, states: Any, moves: Any, live: Any, first: Any) -> Any:
    """One step of all matches, or their start; finished ones stand still."""

    def begin() -> Turn:
        none, no = jnp.zeros((len(keys), game.seats), jnp.float32), jnp.zeros(len(keys), bool)
        return Turn(jax.vmap(game.start)(keys), none, no, no, no, none)

    def step() -> Turn:
        turn = jax.vmap(game.step)(keys, states, moves)
        return turn._replace(state=jax.vmap(choose)(live, turn.state, states))

    turn = jax.lax.cond(first, begin, step)
    now = jax.vmap(lambda state: (game.ask(state), game.facts(state), game.toward(state)))(turn.state)
    return turn, now


def _stack(rows: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *rows)
