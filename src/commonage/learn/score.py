"""The sums of many matches, without their steps: a fixed number of lanes plays them, one after the other.

A lane whose match is over takes the next one, so that a few long matches don't keep the others waiting.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from commonage.game import Game
from commonage.learn.rollout import Carry, Group, Player, Step, Tables, advance, begin, mix, place, sit, stack, table

Array = Any  # jax's inside a compiled loop, NumPy's on the host
LANES = 4096  # matches in play at a time: their arrays stay in the cache
DEALS = 16  # of which the sums are put away together


class Totals(NamedTuple):
    """Sums over a match; leading axis [matches], rows by place in the game."""

    steps: Array  # int32[]
    rounds: Array  # int32[]
    ended: Array  # bool[]
    rewards: Array  # float32[seats]
    deeds: Array  # float32[seats]: sum of deeds
    count: Array  # int32[seats]: how many deeds


def score(game: Game, players: Sequence[Player], seating: np.ndarray, keys: np.ndarray, workers: int = 0) -> Totals:
    """The sums of `len(keys)` matches; `seating` int[matches, seats] says who of `players` sits where.

    The matches are dealt to `workers` threads (0: one per core); the sums do not depend on how many.
    """
    stacks, count = stack(players), len(keys)
    workers = min(workers or os.cpu_count() or 1, count)
    size = -(-count // workers)
    columns = np.ascontiguousarray(keys.T)
    sums = jax.tree.map(lambda leaf: np.empty((*leaf.shape, size * workers), leaf.dtype), _none(game))

    def work(first: int) -> None:
        rows = slice(first, first + size)
        mine = rows if rows.stop <= count else np.minimum(np.arange(first, rows.stop), count - 1)  # the last part is filled up
        _fill(game, place(stacks, seating[mine]), columns[:, mine], jax.tree.map(lambda leaf: leaf[..., rows], sums))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(0, size * workers, size)))
    return jax.tree.map(lambda leaf: np.moveaxis(leaf[..., :count], -1, 0), sums)


def _none(game: Game) -> Totals:
    """Of no step."""
    none, seats = np.int32(0), np.zeros(game.seats, np.float32)
    return Totals(none, none, np.bool_(False), seats, seats, seats.astype(np.int32))


class _Lanes(NamedTuple):
    match: Array  # int32[lanes]: what each plays; the number of matches = idle
    next: Array  # int32[]: the first match that nobody has played
    keys: Array  # uint32[2, lanes]
    sitting: Tables
    carry: Carry
    sums: Totals  # of the match in play


class _Over(NamedTuple):
    """What several deals put away: the sums of all lanes at each, since scattering costs more."""

    sums: Totals  # [..., deals, lanes]
    match: Array  # int32[deals, lanes]: of which match; the number of matches = of none


def _fill(game: Game, groups: tuple[Group, ...], keys: np.ndarray, sums: Totals) -> None:
    """Plays the matches of `keys` uint32[2, matches], and writes into `sums` [..., matches]."""
    matches, keys_, more = keys.shape[1], jnp.asarray(keys), True
    lanes = None if _deals(groups, matches) <= DEALS else _idle(game, groups, keys_)
    while more:
        lanes, over, more = _play(game, groups, keys_, lanes)
        _put(sums, jax.device_get(over), matches)


def _count(groups: tuple[Group, ...], matches: int) -> int:
    """How many lanes. Where players are gathered, who sits in which is fixed: then one a match."""
    return matches if any(group.match is not None for group in groups) else min(LANES, matches)


def _deals(groups: tuple[Group, ...], matches: int) -> int:
    """How many there are, at most: each but the first and the last puts away half of the lanes."""
    return 2 + -(-matches // ((_count(groups, matches) + 1) // 2))


def _put(sums: Totals, over: _Over, matches: int) -> None:
    at = np.flatnonzero(over.match < matches)
    match = over.match.ravel()[at].astype(np.intp)
    for all_, some in zip(sums, over.sums, strict=True):
        for row, new in zip(np.atleast_2d(all_), some.reshape(-1, over.match.size), strict=True):
            row[match] = new.take(at)


@jax.jit
def _play(game: Game, groups: tuple[Group, ...], keys: Array, lanes: _Lanes | None) -> tuple[_Lanes | None, _Over, Array]:
    """As many deals as are put away together, from idle lanes where there are none yet; whether there is more to play."""
    matches, all_deals = keys.shape[1], _deals(groups, keys.shape[1])
    lanes, deals = lanes or _idle(game, groups, keys), min(DEALS, all_deals)
    count = lanes.match.shape[0]
    room = jax.tree.map(lambda leaf: jnp.zeros((*leaf.shape[:-1], deals, count), leaf.dtype), lanes.sums)
    more = lambda lanes: (lanes.match < matches).any() | (lanes.next < matches)

    def deal(loop: tuple[Array, _Lanes, _Over]) -> tuple[Array, _Lanes, _Over]:
        i, lanes, over = loop
        lanes = _run(game, matches, lanes)
        one = _Over(lanes.sums, jnp.where(lanes.carry.live, matches, lanes.match))
        put = lambda all_, one: jax.lax.dynamic_update_index_in_dim(all_, one, i, all_.ndim - 2)
        return i + 1, _deal(game, groups, keys, lanes), jax.tree.map(put, over, one)

    first = (jnp.int32(0), lanes, _Over(room, jnp.full((deals, count), matches)))
    _, lanes, over = jax.lax.while_loop(lambda loop: (loop[0] < deals) & more(loop[1]), deal, first)
    return lanes if all_deals > DEALS else None, over, more(lanes)


@jax.jit
def _idle(game: Game, groups: tuple[Group, ...], keys: Array) -> _Lanes:
    """Lanes without a match."""
    count = _count(groups, keys.shape[1])
    blank = lambda leaf: jnp.zeros(leaf.shape, leaf.dtype)
    own, sitting, carry = jax.tree.map(blank, jax.eval_shape(_seated, game, groups, keys, jnp.arange(count)))
    sums = jax.tree.map(lambda leaf: jnp.zeros((*leaf.shape, count), leaf.dtype), _none(game))
    return _Lanes(jnp.full(count, keys.shape[1], jnp.int32), jnp.int32(0), own, sitting, carry, sums)


@functools.partial(jax.jit, inline=True)
def _seated(game: Game, groups: tuple[Group, ...], keys: Array, at: Array) -> tuple[Array, Tables, Carry]:
    """(keys, tables, carry) of these matches as they begin."""
    own = keys.at[:, at].get(mode="promise_in_bounds")
    sitting = sit(game, [table(group, at) for group in groups], own)
    return own, sitting, begin(game, sitting, own)


def _run(game: Game, matches: int, lanes: _Lanes) -> _Lanes:
    """Steps in every lane until half of them are free; all, when there is nothing left to deal."""
    count = lanes.match.shape[0]
    wait = jnp.where(lanes.next < matches, (count + 1) // 2, count)

    def step(loop: tuple[Carry, Totals]) -> tuple[Carry, Totals]:
        carry, step = advance(game, lanes.sitting, lanes.keys, loop[0])
        sums = _add(loop[1], step)
        return carry._replace(live=carry.live & (sums.steps < game.max_steps)), sums

    carry, sums = jax.lax.while_loop(lambda loop: (~loop[0].live).sum() < wait, step, (lanes.carry, lanes.sums))
    return lanes._replace(carry=carry, sums=sums)


def _deal(game: Game, groups: tuple[Group, ...], keys: Array, lanes: _Lanes) -> _Lanes:
    """Gives every free lane the next match while there are some."""
    matches, free = keys.shape[1], ~lanes.carry.live
    match = jnp.where(free, jnp.minimum(lanes.next + jnp.cumsum(free) - 1, matches), lanes.match)
    at = jnp.minimum(match, matches - 1)
    own, sitting, fresh = _seated(game, groups, keys, at)
    one_each = all(group.match is None for group in groups)  # else all lanes are dealt at once, and never again
    fresh = fresh._replace(live=match < matches)
    carry = mix(game, free, fresh, lanes.carry) if one_each else fresh
    sums = jax.tree.map(lambda old: jnp.where(free, 0, old).astype(old.dtype), lanes.sums)
    return _Lanes(match, jnp.minimum(lanes.next + free.sum(), matches), own, sitting, carry, sums)


def _add(totals: Totals, step: Step) -> Totals:
    did = ~jnp.isnan(step.deeds)
    return Totals(
        totals.steps + step.live,
        totals.rounds + step.round_over,
        totals.ended | step.ended,
        totals.rewards + step.rewards,
        totals.deeds + jnp.where(did, step.deeds, 0),
        totals.count + did,
    )
