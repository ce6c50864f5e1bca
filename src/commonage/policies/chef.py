"""Plans in the kitchen: who fetches what, who waits, who gives way; both chefs find the same plan, so two of them work together.

It cooks soups of three onions with one partner, in any layout with up to 30 cells of floor, by tables of ways for two.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.errors import SpecError
from commonage.game import Legal
from commonage.grid.kitchen import (
    COUNTER, DISH, DISHES, FAR, FLOOR, INTERACT, NOTHING, ONION, ONIONS, POT, SERVING, SOUP, STAY, count, kind, load, tick, ways,
)  # fmt: skip
from commonage.part import static
from commonage.policy import Policy

MOST = 30  # cells of floor: tables of ways for two have its fourth power
SOON = 10  # steps before a soup is ready a dish is fetched for it
PATIENCE = 12  # steps without work, before it no longer counts on its partner; it then works alone for ten times as long
BLOCKED = 5  # steps, before it goes around a partner who does not give way,
AROUND = 12  # for so many steps
APART = 4  # steps between onions and pots from which on one supplies and the other cooks


class Memory(NamedTuple):
    idle: Array  # int32[]: steps without work; above PATIENCE: steps left to work alone
    barred: Array  # int32[]: steps in a row that it had to go somewhere, and got nowhere; below 0: steps left to go around its partner
    at: Array  # int32[]: where it last stood
    late: Array  # int32[]: steps until the move that it decided on is made
    move: Array  # int32[]: that move


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


class Kitchen(NamedTuple):
    """What there is now, seats in their order."""

    place: Array  # int32[2]
    facing: Array  # int32[2]
    hand: Array  # int32[2]: kinds
    things: Array  # int32[cells]
    left: Array  # int32[cells]
    reach: Array  # int32[2, cells + 1]: steps of each to a place beside every cell
    alone: Array  # bool[2]: who works alone


class Want(NamedTuple):
    """Where a seat wants to act."""

    station: Array  # int32[]: a cell, or `cells`: none
    hard: Array  # bool[]: it can act as soon as it is there; else it only waits there
    now: Array  # bool[]: it can act now


class Chef(Policy):
    """`skill`: how likely it follows its plan in a step, else any move comes; `delay`: steps between a decision and its move, in which it stays.

    `layout` is the game's. Where onions and pots lie apart one chef supplies the other over counters; whoever waits in vain works
    alone, and whoever is barred goes around. New dynamics: it starts full pots, too.
    """

    game = "kitchen"

    layout: str = static(default="cramped_room")
    skill: float = 1.0
    delay: int = 0

    def check(self) -> None:
        floor = len(load(self.layout).cells(FLOOR))
        self.require(floor <= MOST, "layout", f"one with at most {MOST} cells of floor, it has {floor}")
        self.require(0 <= self.skill <= 1, "skill", "between 0 and 1")
        self.require(0 <= self.delay <= 1000, "delay", "between 0 and 1000")

    def start(self) -> Memory:
        zero = jnp.int32(0)
        return Memory(zero, zero, jnp.int32(-1), jnp.int32(-1), jnp.int32(STAY))

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal) -> tuple[Array, Memory]:
        if sight.at.shape != (2,) or sight.things.shape != load(self.layout).terrain.shape:
            raise SpecError(f"chef(layout={self.layout!r}): it needs one partner and the game's own layout: chef(layout=...)")
        planned, after = self._plan(key, memory, sight)
        decides = memory.late < 0
        move, late = jnp.where(decides, planned, memory.move), jnp.where(decides, self.delay, memory.late)
        after = jax.tree.map(lambda new, old: jnp.where(decides, new, old), after, memory)
        slips = ~seeds.chance(seeds.fold(key, "skill"), self.skill)
        made = jnp.where(late > 0, STAY, jnp.where(slips, seeds.below(seeds.fold(key, "slip"), 6), move))
        return made.astype(jnp.int32), after._replace(late=(late - 1).astype(jnp.int32), move=move.astype(jnp.int32))

    def _plan(self, key: Array, memory: Memory, sight: Any) -> tuple[Array, Memory]:
        """(its move, its memory) by the plan for both."""
        table, me = tables(self.layout), sight.seat
        mine = np.arange(2) == me
        alone, around = mine & (memory.idle > PATIENCE), memory.barred < 0
        place = jnp.asarray(table.place)[sight.at]
        detour = jnp.asarray(table.around)[place[1 - me], place[me]]
        reach = jnp.where((mine & around)[:, None], detour, jnp.asarray(table.reach)[place])
        here = Kitchen(place, sight.facing, kind(sight.held), sight.things, sight.left, reach, alone)
        wants = _wants(self.layout, here)
        moves, goes = _moves(table, here, wants)
        want, goes = jax.tree.map(lambda *rows: jnp.stack(rows)[me], *wants), goes[me]
        move = jnp.where(goes & around, _around(key, table, here, want, me), moves[me])
        stuck = want.hard & goes & (sight.at[me] == memory.at)
        barred = jnp.where(around, memory.barred + 1, jnp.where(stuck, memory.barred + 1, 0))
        barred = jnp.where(barred >= BLOCKED, -AROUND, barred)
        waits = ~want.hard & ~(sight.left > 0).any()  # in vain: nothing comes about by itself
        idle = jnp.where(memory.idle > PATIENCE, memory.idle - 1, jnp.where(waits, memory.idle + 1, 0))
        idle = jnp.where(idle == PATIENCE, jnp.where(memory.idle > PATIENCE, 0, 11 * PATIENCE), idle)
        return move, Memory(idle.astype(jnp.int32), barred.astype(jnp.int32), sight.at[me], memory.late, memory.move)


# what each wants


def _wants(layout: str, here: Kitchen) -> list[Want]:
    table, kitchen = tables(layout), load(layout)
    terrain, none, pots = kitchen.terrain, len(kitchen.terrain), kitchen.cells(POT)
    lies, counters = kind(here.things), terrain == COUNTER
    reach = here.reach[:, :none]
    idle, left = here.left[pots] < 0, here.left[pots]
    room = idle & (count(here.things[pots]) < 3)
    full = idle & ~room
    lacks = (room * (3 - count(here.things[pots]))).sum()
    free = counters & (lies == NOTHING)
    mask = lambda where: jnp.zeros(none, bool).at[pots].set(where)
    boxes = {ONION: terrain == ONIONS, DISH: terrain == DISHES}
    lying = {what: counters & (lies == what) for what in (ONION, DISH, SOUP)}
    score = lambda i, where, far=0: jnp.where(where & (reach[i] < FAR), reach[i] + far, 4 * FAR)

    def best(i: int, where: Any, far: Any = 0) -> tuple[Array, Array]:
        """(the station among these that is nearest to a seat, `none` where it reaches none; how near it is)."""
        far = score(i, where, far)
        return jnp.where(far.min() < 4 * FAR, jnp.argmin(far), none).astype(jnp.int32), far.min()

    sources = [{what: best(i, boxes[what] | lying[what]) for what in (ONION, DISH)} for i in range(2)]
    out: list[Want] = []
    for i in range(2):
        j, relay, alone = 1 - i, table.relay & ~here.alone[i], here.alone[i]
        held = jnp.where(alone & (np.arange(2) == j), ONION, here.hand)  # whoever works alone counts on no other's hands
        onions, dishes = ((held == what).sum() - (alone * (what == ONION)) for what in (ONION, DISH))
        due = ((left >= 0) & ((left <= SOON) | (lacks <= onions))).sum() + full.sum()
        short = {ONION: lacks - onions, DISH: due - dishes}
        supplies = relay & (i != table.cook)
        cooks = relay & (i == table.cook)
        onion, dish = (sources[i][what][0] for what in (ONION, DISH))
        cook_onion, cook_dish = best(i, lying[ONION])[0], best(i, lying[DISH])[0]
        onion, dish = jnp.where(cooks, cook_onion, onion), jnp.where(cooks, cook_dish, dish)
        onion = jnp.where(supplies, best(i, boxes[ONION])[0], onion)
        dish = jnp.where(supplies, best(i, boxes[DISH])[0], dish)
        # with empty hands
        bias = [sources[k][DISH][1] - sources[k][ONION][1] for k in range(2)]
        mine = (held[j] != NOTHING) | (bias[i] < bias[j]) | ((bias[i] == bias[j]) & (i == 0)) | (short[DISH] > 1) | table.relay
        lies_onions, lies_dishes = lying[ONION].sum(), lying[DISH].sum()
        wants_dish = (short[DISH] > jnp.where(supplies, lies_dishes, 0)) & mine & (dish < none)
        wants_onion = jnp.where(supplies, short[ONION] > lies_onions, True) & (onion < none)
        wants_onion &= jnp.where(cooks, lacks > 0, True)
        spare = (free & (table.passes[0] < FAR)).sum() > 1
        wants_onion |= supplies & spare & (lies_onions < 3) & (onion < none)
        soup = best(i, lying[SOUP])[0]
        serves = best(i, terrain == SERVING)[0]
        begin = best(i, mask(full))[0]
        wants_soup = (soup < none) & (serves < none)
        wait = best(i, counters & (table.passes[0] < FAR), 8 * table.passes[0])[0]
        take = jnp.where(wants_dish, dish, jnp.where(wants_onion, onion, none))
        take = jnp.where(wants_soup, soup, take)
        starts = (begin < none) & ((held[j] != NOTHING) | (reach[i].at[begin].get(mode="clip") <= reach[j].at[begin].get(mode="clip")))
        take = jnp.where(starts, begin, take)  # full pots that do not cook: there are some by new dynamics only
        empty = jnp.where(take < none, take, jnp.where(table.relay, wait, none))
        empty_hard = take < none
        # with something in its hands
        hand_over = [best(i, free & (table.passes[k] < FAR), 4 * table.passes[k])[0] for k in range(2)]
        aside = best(i, free, jnp.where(table.passes[0] < FAR, 6, 0) * table.relay)[0]
        pot = best(i, mask(room), mask(room) * 0 - 20 * _at(none, pots, count(here.things[pots])))[0]
        cooking = best(i, mask(left >= 0), 2 * jnp.maximum(here.left, 0))[0]
        filled = best(i, mask(room | full), -20 * _at(none, pots, count(here.things[pots])))[0]
        any_pot = best(i, terrain == POT)[0]
        over = lambda k: jnp.where(supplies | (any_pot == none), hand_over[k], none)
        nearer = (sources[i][DISH][1] < sources[j][DISH][1]) | ((sources[i][DISH][1] == sources[j][DISH][1]) & (i == 0))
        blocked = (lacks == 0) & (short[DISH] > 0) & (((held[j] == ONION) & nearer) | (held[j] == SOUP) | cooks | alone)
        blocked &= ~(cooks & (lies_dishes == 0))
        with_onion = jnp.where(over(0) < none, over(0), jnp.where(blocked, aside, jnp.where(pot < none, pot, any_pot)))
        onion_hard = jnp.where(over(0) < none, (lies_onions < 3) | (lacks > lies_onions), blocked | (pot < none))
        stop = supplies & (short[DISH] > lies_dishes) & (lies_onions >= jnp.maximum(lacks, 1))
        with_onion, onion_hard = jnp.where(stop, aside, with_onion), onion_hard | stop
        useless = ((due + (lacks <= 1) < dishes) & (i == 1)) | ((due == 0) & (lacks > onions + 1) & ~relay)
        with_dish = jnp.where(over(1) < none, over(1), jnp.where(useless, aside, jnp.where(cooking < none, cooking, filled)))
        ready = jnp.where(with_dish < none, here.left.at[with_dish].get(mode="fill", fill_value=0), 0)
        near = reach[i].at[with_dish].get(mode="fill", fill_value=0)
        to_pot = (over(1) == none) & ~useless
        dish_hard = jnp.where(to_pot, (ready >= 0) & (ready <= near + 1), True)
        dish_now = jnp.where(to_pot, ready == 0, True)
        with_soup = jnp.where(serves < none, serves, hand_over[1])
        pick = lambda nothing, o, d, s: jnp.where(held[i] == NOTHING, nothing, jnp.where(held[i] == ONION, o, jnp.where(held[i] == DISH, d, s)))
        station = pick(empty, with_onion, with_dish, with_soup)
        hard = pick(empty_hard, onion_hard, dish_hard, True) & (station < none)
        now = pick(True, True, dish_now, True)
        out.append(Want(station.astype(jnp.int32), hard, jnp.asarray(now)))
    return out


def _at(size: int, places: np.ndarray, values: Array) -> Array:
    return jnp.zeros(size, jnp.int32).at[places].set(values.astype(jnp.int32))


# how they get there


def _moves(table: Tables, here: Kitchen, wants: list[Want]) -> tuple[Array, Array]:
    """(int32[2] the moves of both, bool[2] who is on its way, or gives way to the other)."""
    none, n = table.reach.shape[1] - 1, len(table.next)
    stations = jnp.stack([want.station for want in wants])
    hard = jnp.stack([want.hard for want in wants])
    near = jnp.asarray(table.reach)[here.place, stations]
    goals = jnp.where(hard, stations, none)
    pair = here.place[0] * n + here.place[1]
    clash = jnp.asarray(table.both)[pair, goals[0], goals[1]] >= FAR
    first = near[0] <= near[1]
    goals = jnp.where(clash & jnp.stack([~first, first]), none, goals)
    turn = jnp.asarray(table.turn)[here.place, stations]
    beside = turn >= 0
    fixed = beside & (goals < none)
    after = jnp.asarray(table.pairs)[pair]
    one, two = after // n, after % n
    apart = jnp.asarray(table.reach)[one, stations[0]] + jnp.asarray(table.reach)[two, stations[1]]
    moved = (np.arange(25) // 5 != STAY) * 1 + (np.arange(25) % 5 != STAY)
    cost = 256 * jnp.asarray(table.both)[after, goals[0], goals[1]] + 4 * apart + moved
    barred = (fixed[0] & (np.arange(25) // 5 != STAY)) | (fixed[1] & (np.arange(25) % 5 != STAY))
    lost = (after == pair) & (moved > 0)  # nobody walks
    chosen = jnp.argmin(jnp.where(barred | lost, 2**30, cost))
    walk = jnp.stack([chosen // 5, chosen % 5])
    faces = turn == here.facing
    now = jnp.stack([want.now for want in wants]) & hard
    act = jnp.where(faces, jnp.where(now, INTERACT, STAY), turn)
    moves = jnp.where(fixed, act, jnp.where((walk == STAY) & beside & ~faces, turn, walk))
    return moves.astype(jnp.int32), ~fixed & hard


def _around(key: Array, table: Tables, here: Kitchen, want: Want, me: Array) -> Array:
    """int32[]: the move to its station around a partner who stands; any where there is no way."""
    place, other = here.place[me], here.place[1 - me]
    after = jnp.asarray(table.next)[place]
    far = jnp.where(after == other, FAR, jnp.asarray(table.around)[other, after, want.station])
    return jnp.where(far.min() < FAR, jnp.argmin(far), seeds.below(seeds.fold(key, "around"), 4)).astype(jnp.int32)


@functools.cache
def tables(layout: str) -> Tables:
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
    nearest = reach[:, :cells][:, kitchen.terrain == POT].min(1)
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
