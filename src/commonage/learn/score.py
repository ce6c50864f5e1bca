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
from commonage.learn.rollout import Carry, Group, Player, Step, Tables, advance, begin, place, sit, stack, table

Array = Any  # jax's inside a compiled loop, NumPy's on the host
LANES = 4096  # matches in play at a time: their arrays stay in the cache


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
    parts = [np.minimum(np.arange(first, first + size), count - 1) for first in range(0, count, size)]  # the last is filled up

    def work(rows: np.ndarray) -> Totals:
        out, over = jax.device_get(_play(game, place(stacks, seating[rows]), keys[rows]))
        return _sorted(out, over, len(rows))

    with ThreadPoolExecutor(workers) as pool:
        sums = list(pool.map(work, parts))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *sums)


class _Lanes(NamedTuple):
    match: Array  # int32[lanes]: what each plays; the number of matches = idle
    next: Array  # int32[]: the first match that nobody has played
    keys: Array  # uint32[2, lanes]
    sitting: Tables
    carry: Carry
    sums: Totals  # of the match in play
    out: Totals  # [deals, ..., lanes]: the sums of all lanes at each deal, one block after the other: scattering costs more
    over: Array  # int32[deals, lanes]: the matches that these are; the number of matches = none
    deals: Array  # int32[]


@jax.jit
def _play(game: Game, groups: tuple[Group, ...], keys: Array) -> tuple[Totals, Array]:
    """(sums, matches) at each deal."""
    keys = keys.T
    matches, deal = keys.shape[1], functools.partial(_deal, game, groups, keys)
    gathered = any(group.match is not None for group in groups)  # who sits in which lane is then fixed: one lane a match
    lanes = deal(_idle(game, groups, keys, matches if gathered else min(LANES, matches)))
    lanes = jax.lax.while_loop(lambda lanes: (lanes.match < matches).any(), lambda lanes: deal(_run(game, matches, lanes)), lanes)
    return lanes.out, lanes.over


def _sorted(out: Totals, over: np.ndarray, matches: int) -> Totals:
    """The sums by match."""
    at, lanes = np.flatnonzero(over < matches), over.shape[1]
    order = np.empty(matches, np.intp)
    order[over.ravel()[at]] = at
    deal, lane = np.divmod(order, lanes)
    return jax.tree.map(lambda rows: rows[deal, ..., lane], out)


def _idle(game: Game, groups: tuple[Group, ...], keys: Array, count: int) -> _Lanes:
    """Lanes without a match."""
    matches, at = keys.shape[1], jnp.arange(count)
    zeros = lambda tree: jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), tree)
    sitting = sit(game, [table(group, at) for group in groups], keys[:, at])
    carry = zeros(jax.eval_shape(lambda: begin(game, sitting, keys[:, at])))
    none = jnp.zeros((), jnp.int32)
    seats = jnp.zeros(game.seats, jnp.float32)
    one = Totals(none, none, none > 0, seats, seats, seats.astype(jnp.int32))
    sums = jax.tree.map(lambda leaf: jnp.zeros((*leaf.shape, count), leaf.dtype), one)
    deals = 2 + -(-matches // ((count + 1) // 2))  # each but the first and the last puts away half of the lanes
    out = jax.tree.map(lambda leaf: jnp.zeros((deals, *leaf.shape), leaf.dtype), sums)
    nobody = jnp.full((deals, count), matches)
    return _Lanes(nobody[0], none, keys[:, at], sitting, carry, sums, out, nobody, none)


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
    """Puts away the sums of what is over, and gives every free lane the next match while there are some."""
    matches, free = keys.shape[1], ~lanes.carry.live
    out = jax.tree.map(lambda all_, one: all_.at[lanes.deals].set(one), lanes.out, lanes.sums)
    over = lanes.over.at[lanes.deals].set(jnp.where(free, lanes.match, matches))
    match = jnp.where(free, jnp.minimum(lanes.next + jnp.cumsum(free) - 1, matches), lanes.match)
    at = jnp.minimum(match, matches - 1)
    sitting = sit(game, [table(group, at) for group in groups], keys[:, at])
    fresh = begin(game, sitting, keys[:, at])
    mix = lambda new, old: jnp.where(jnp.resize(free, old.shape[-1:]), new, old)  # memories go place after place
    carry = jax.tree.map(mix, fresh._replace(live=match < matches), lanes.carry)
    sums = jax.tree.map(lambda old: jnp.where(free, 0, old).astype(old.dtype), lanes.sums)
    return _Lanes(match, lanes.next + free.sum(), keys[:, at], sitting, carry, sums, out, over, lanes.deals + 1)


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
