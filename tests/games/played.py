"""Playing a game by hand in tests, and a search that tries to break every bound."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from commonage import seeds
from commonage.game import Game, Turn, numpy
from commonage.learn import rollout
from commonage.policy import Policy

KEY = seeds.root(0)
MEASURES = ("welfare_sum", "gain", "final_holdings")
step = jax.jit(lambda game, state, moves: game.step(KEY, state, moves))
look = jax.jit(lambda game, state: game.look(state))
ask = jax.jit(lambda game, state: game.ask(state))
_start = jax.jit(lambda game: game.start(KEY))


def start(game: Game) -> Any:
    """The state before the first question, in NumPy."""
    return numpy(_start(game))


def turns(game: Game, *rows: list[int]) -> list[Turn]:
    """The turns of a match by its moves, step by step; in NumPy."""
    state, out = _start(game), []
    for row in rows:
        out.append(numpy(step(game, state, jnp.array(row, jnp.int32))))
        state = out[-1].state
    return out


def match(game: Game, *policies: Policy) -> rollout.Step:
    """One match between policies, compiled: arrays with leading axis [steps]."""
    groups = rollout.seat([(policy,) for policy in policies], np.arange(len(policies))[None])
    steps = rollout.play(game, groups, seeds.root(1)[None])
    return jax.tree.map(lambda leaf: leaf[:, 0], steps)


def holds(game: Game, reached: bool = False, tries: int = 32, climbs: int = 200) -> None:
    """Fails when a random search with hill climbing over joint move sequences breaks one of the game's bounds on `MEASURES`.

    `reached`: fails also when it stays more than a thousandth away from a bound: the bound is loose, or the search weak.
    """
    bounds = [oracle for oracle in game.oracles() if oracle.label == "bound" and oracle.measure in MEASURES]
    assert bounds
    for oracle in bounds:
        found = climb(game, oracle.measure, oracle.side, tries, climbs)
        beyond = (found - oracle.value) / max(1.0, abs(oracle.value)) * (1 if oracle.side == "ceiling" else -1)
        assert beyond <= 1e-5, f"{game} breaks {oracle}: {found}"  # float32
        assert beyond >= -1e-3 or not reached, f"{game} does not reach {oracle}: {found}"


def climb(game: Game, measure: str, side: str, tries: int = 32, climbs: int = 200) -> float:
    """The largest (side="ceiling") or smallest value of a measure that the search finds."""
    sign = 1.0 if side == "ceiling" else -1.0
    return sign * float(_climb(game, jnp.int32(MEASURES.index(measure)), jnp.float32(sign), tries, climbs))


def _scores(game: Game, wishes: jax.Array) -> jax.Array:
    """float32[measures] of a match in which each seat plays the legal move of this rank, in 0..65535."""

    def body(carry: Any, wish: jax.Array) -> Any:
        state, total, live = carry
        which, legal = game.ask(state)
        rank = wish * legal.size >> 16
        moves = legal.nth(rank)
        turn = game.step(KEY, state, jnp.where(which >= 0, moves, -1).astype(jnp.int32))
        state = jax.tree.map(lambda new, old: jnp.where(live, new, old), turn.state, state)
        return (state, total + live * turn.rewards, live & ~turn.ended & ~turn.truncated), None

    carry = game.start(KEY), jnp.zeros(game.seats), jnp.array(True)
    (state, total, _), _ = jax.lax.scan(body, carry, wishes)
    return jnp.stack([total.sum(), total.mean(), game.facts(state).get("holdings", jnp.zeros(1)).mean()])


@functools.partial(jax.jit, static_argnames=("tries", "climbs"))
def _climb(game: Game, measure: jax.Array, sign: jax.Array, tries: int, climbs: int) -> jax.Array:
    """The largest sign x measure that `tries` climbs of `climbs` steps find."""
    score = jax.vmap(lambda wishes: sign * _scores(game, wishes)[measure])
    shape = (tries, game.max_steps, game.seats)
    draw = lambda key: jnp.clip(jax.random.randint(key, shape, -30_000, 95_000), 0, 65_535)  # both ends come up often

    def better(i: jax.Array, carry: Any) -> Any:
        wishes, value = carry
        key = jax.random.split(jax.random.fold_in(jax.random.key(1), i))
        other = jnp.where(jax.random.bernoulli(key[0], 0.1, shape), draw(key[1]), wishes)
        after = score(other)
        return jnp.where((after > value)[:, None, None], other, wishes), jnp.maximum(value, after)

    first = draw(jax.random.key(0))
    return jax.lax.fori_loop(0, climbs, better, (first, score(first)))[1].max()
