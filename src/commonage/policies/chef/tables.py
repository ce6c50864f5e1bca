"""Tables of a kitchen for two who make way for each other; by layout, in NumPy."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from commonage.grid.kitchen import (
    COUNTER,
    DISHES,
    FAR,
    FLOOR,
    ONIONS,
    POT,
    load,
    ways,
)

MOST = 30  # cells of floor: tables of ways for two have its fourth power
APART = 4  # steps between onions and pots from which on one supplies and the other cooks


class Tables(NamedTuple):
    """Ways in one layout. Floor cells are numbered 0..n-1; a pair of places is first * n + second; a station is a cell, the last none."""

    place: np.ndarray  # int32[cells]: the number of a floor cell
    reach: np.ndarray  # int32[n, cells + 1]: steps until one stands beside a station; 0 where there is none to go to
    around: np.ndarray  # int32[n, n, cells + 1]: the same with a partner who stands (first axis) in the way
    turn: np.ndarray  # int32[n, cells + 1]: the move that faces a station from beside it; -1 elsewhere
    next: np.ndarray  # int32[n, 5]: where each move leads, with nobody in the way
    pairs: np.ndarray  # int32[n * n, 25]: where a pair of moves leads two
    both: np.ndarray  # int32[n * n, cells + 1, cells + 1]: steps until both stand beside their stations
    passes: np.ndarray  # int32[2, cells]: how far out of the way it is to hand over an onion, a dish, on a counter; FAR: it cannot be
    relay: bool  # one supplies, the other cooks
    cook: int  # which of them cooks: who starts nearer to the pots


@functools.cache
def tables_of(layout: str) -> Tables:
    """All tables of one layout."""
    kitchen, far = load(layout), ways(layout).astype(np.int32)
    floor, cells = kitchen.cells(FLOOR), len(kitchen.terrain)
    n, faced = len(floor), kitchen.faced.reshape(-1, 4)[floor]
    place = np.zeros(cells, np.int32)
    place[floor] = np.arange(n)
    step = place[kitchen.next.reshape(-1, 8)[floor][:, :5]]
    turn = np.full((n, cells + 1), -1, np.int32)
    for move in range(4):
        turn[np.arange(n), faced[:, move]] = move
    turn[:, floor] = -1
    beside = turn[:, :cells] >= 0
    between = far[np.ix_(floor, floor)]
    reach = _reach(between, beside)
    around = np.stack([_reach(_between(step, blocked), beside) for blocked in range(n)])
    pairs, both = _pairs(step, beside)
    gate = lambda *kinds: beside[:, np.isin(kitchen.terrain, kinds)].any(1)
    pots, onions, dishes = gate(POT), gate(ONIONS), gate(DISHES)
    counters = kitchen.terrain == COUNTER
    away = lambda where: np.where(counters, reach[where, :cells].min(0, initial=FAR), FAR)
    passes = np.stack([np.minimum(away(source) + away(pots), FAR) for source in (onions, dishes)])
    passes = np.where(passes <= passes.min(1, keepdims=True) + 2, passes, FAR)
    apart = between[np.ix_(onions, pots)].min(initial=FAR)
    starts = place[list(kitchen.starts)]
    nearest = reach[:, :cells][:, kitchen.terrain == POT].min(1, initial=FAR)
    cook = int(np.argmin(nearest[starts])) if len(starts) == 2 else 0
    return Tables(place, reach, around, turn, step, pairs, both, passes, bool(apart >= APART), cook)


def _between(step: np.ndarray, blocked: int) -> np.ndarray:
    """int32[n, n]: steps from place to place where one of them is blocked."""
    n = len(step)
    far = np.where(np.eye(n, dtype=bool), 0, FAR)
    open_ = np.where(step == blocked, np.arange(n)[:, None], step)
    for _ in range(n):
        far = np.minimum(far, far[open_].min(1) + 1)
    return np.minimum(far, FAR)


def _reach(between: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """int32[n, cells + 1]: steps until one stands beside each station; 0 to none."""
    far = np.where(beside[None], between[:, :, None], FAR).min(1)
    return np.concatenate([far, np.zeros((len(far), 1), np.int64)], 1).astype(np.int32)


def _pairs(step: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`pairs` and `both` of the tables."""
    n, cells = beside.shape
    first, second = np.divmod(np.arange(n * n), n)
    one, two = (np.repeat(step[first], 5, 1), np.tile(step[second], (1, 5)))
    clash = (one == two) | ((one == second[:, None]) & (two == first[:, None]))
    here = np.arange(n * n)[:, None]
    pairs = np.where(clash, here, one * n + two).astype(np.int32)
    far = np.full((n * n, n * n), FAR, np.uint8)
    far[np.arange(n * n), np.arange(n * n)] = 0
    far[first == second] = far[:, first == second] = FAR
    while True:
        nearer = np.minimum(far, np.minimum(far[pairs].min(1), FAR - 1) + 1)
        if (nearer == far).all():
            break
        far = nearer
    far = far.reshape(n * n, n, n)
    gates = [*(np.flatnonzero(beside[:, cell]) for cell in range(cells)), np.arange(n)]
    narrow = lambda table, axis: np.stack([table.take(gate, axis).min(axis, initial=FAR) for gate in gates], axis)
    return pairs, narrow(narrow(far, 2), 1).astype(np.int32)
