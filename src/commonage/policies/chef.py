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
    COUNTER,
    DISH,
    DISHES,
    FAR,
    FLOOR,
    INTERACT,
    NOTHING,
    ONION,
    ONIONS,
    POT,
    ROOM,
    SERVING,
    SOUP,
    STAY,
    count,
    kind,
    load,
    ways,
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
    """`skill`: how likely it follows its plan in a step, else any move comes; `delay`: steps that it stays between a decision and its move.

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
        sight = jax.tree.map(jnp.asarray, sight)
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


class Stock(NamedTuple):
    """What lies where: bool[cells] but for the last three."""

    free: Array  # counters with nothing on them
    lying: dict[int, Array]  # counters with an onion, a dish, a soup
    boxes: dict[int, np.ndarray]  # of onions, of dishes
    room: Array  # pots that take an ingredient
    full: Array  # pots that hold three and do not cook: by new dynamics only
    cooks: Array  # pots that cook, or have cooked
    filled: Array  # int32[cells]: ingredients in each pot
    lacks: Array  # int32[]: ingredients that the pots still take
    soon: Array  # int32[]: pots for which a dish should come now, if more than one ingredient is lacking


class Side(NamedTuple):
    """One seat's view of the work; whoever works alone counts on no other's hands."""

    seat: int
    stock: Stock
    reach: Array  # int32[cells]
    theirs: Array  # int32[cells]: the other's
    other: Array  # int32[]: the kind of thing in the other's hands; an onion if it works alone
    alone: Array  # bool[]
    supplies: Array  # bool[]: it brings onions and dishes to counters,
    cooks: Array  # bool[]: it takes them from there; neither where both do all
    onions: Array  # int32[]: in the hands that count
    dishes: Array  # int32[]
    due: Array  # int32[]: pots for which a dish should come
    nearer: Array  # bool[]: nearer to a dish than the other is

    @property
    def short(self) -> Array:
        """int32[]: dishes that are due and in nobody's hands."""
        return self.due - self.dishes

    def best(self, where: Any, far: Any = 0) -> Array:
        """int32[]: the nearest of these stations, bool[cells], `far` added to their ways; the number of cells where it reaches none."""
        far = jnp.where(where & (self.reach < FAR), self.reach + far, 4 * FAR)
        return jnp.where(far.min() < 4 * FAR, jnp.argmin(far), len(self.reach)).astype(jnp.int32)


def _wants(layout: str, here: Kitchen) -> list[Want]:
    """What each of both wants."""
    stock = _stock(layout, here)
    return [_want(layout, _side(layout, here, stock, seat), here.hand[seat], here.left) for seat in range(2)]


def _stock(layout: str, here: Kitchen) -> Stock:
    terrain, lies = load(layout).terrain, kind(here.things)
    counter, pot, cooks = terrain == COUNTER, terrain == POT, here.left >= 0
    filled = jnp.where(pot, count(here.things), 0).astype(jnp.int32)
    room = pot & ~cooks & (filled < ROOM)
    full = pot & ~cooks & (filled == ROOM)
    return Stock(
        free=counter & (lies == NOTHING),
        lying={what: counter & (lies == what) for what in (ONION, DISH, SOUP)},
        boxes={ONION: terrain == ONIONS, DISH: terrain == DISHES},
        room=room,
        full=full,
        cooks=pot & cooks,
        filled=filled,
        lacks=(room * (ROOM - filled)).sum(),
        soon=(full | (pot & cooks & (here.left <= SOON))).sum(),
    )


def _side(layout: str, here: Kitchen, stock: Stock, seat: int) -> Side:
    table, alone = tables(layout), here.alone[seat]
    other = jnp.where(alone, ONION, here.hand[1 - seat])
    hands = lambda what: (here.hand[seat] == what) * 1 + (~alone & (other == what))
    onions, reach, relay = hands(ONION), here.reach[:, :-1], table.relay & ~alone
    all_due = (stock.full | stock.cooks).sum()
    near = [jnp.where(stock.boxes[what] | stock.lying[what], reach, 4 * FAR).min(1) for what in (ONION, DISH)]
    lead = (near[1] - near[0])[seat] - (near[1] - near[0])[1 - seat]  # how much further out of its way a dish lies than out of the other's
    return Side(
        seat=seat,
        stock=stock,
        reach=reach[seat],
        theirs=reach[1 - seat],
        other=other,
        alone=alone,
        supplies=relay & (seat != table.cook),
        cooks=relay & (seat == table.cook),
        onions=onions,
        dishes=hands(DISH),
        due=jnp.where(stock.lacks <= onions, all_due, stock.soon),
        nearer=(lead < 0) | ((lead == 0) & (seat == 0)),
    )


def _want(layout: str, side: Side, hand: Array, left: Array) -> Want:
    """By what is in its hands."""
    by_hand = {
        NOTHING: _fetch(layout, side),
        ONION: _bring_onion(layout, side),
        DISH: _bring_dish(layout, side, left),
        SOUP: _serve(layout, side),
    }
    choose = lambda *options: functools.reduce(
        lambda found, one: jnp.where(hand == one[0], one[1], found), zip(by_hand, options, strict=True), options[0]
    )
    return jax.tree.map(choose, *by_hand.values())


def _fetch(layout: str, side: Side) -> Want:
    """With empty hands: full pots are started, soups that lie about are served, and a dish that is due goes before onions."""
    table, stock, none = tables(layout), side.stock, len(side.reach)
    source = lambda what: side.best((stock.boxes[what] & ~side.cooks) | (stock.lying[what] & ~side.supplies))
    onion, dish, soup, begin = source(ONION), source(DISH), side.best(stock.lying[SOUP]), side.best(stock.full)
    onions, dishes = stock.lying[ONION].sum(), stock.lying[DISH].sum()
    mine = (side.other != NOTHING) | side.nearer | (side.short > 1) | table.relay
    wants_dish = (side.short > jnp.where(side.supplies, dishes, 0)) & mine
    spare = ((stock.free & (table.passes[0] < FAR)).sum() > 1) & (onions < ROOM)  # a place stays free for a dish
    wants_onion = jnp.where(side.supplies, (stock.lacks - side.onions > onions) | spare, ~side.cooks | (stock.lacks > 0))
    take = jnp.where(wants_dish & (dish < none), dish, jnp.where(wants_onion, onion, none))
    take = jnp.where((soup < none) & (side.best(load(layout).terrain == SERVING) < none), soup, take)
    closer = side.reach.at[begin].get(mode="clip") <= side.theirs.at[begin].get(mode="clip")
    take = jnp.where((begin < none) & ((side.other != NOTHING) | closer), begin, take)
    wait = side.best(table.passes[0] < FAR, 8 * table.passes[0]) if table.relay else none
    return Want(jnp.where(take < none, take, wait).astype(jnp.int32), take < none, jnp.array(True))


def _bring_onion(layout: str, side: Side) -> Want:
    """Into the fullest pot that takes it, or over a counter; aside where a dish must be fetched with these hands."""
    stock, none = side.stock, len(side.reach)
    any_pot, pot = side.best(load(layout).terrain == POT), side.best(stock.room, -20 * stock.filled)
    onions, dishes = stock.lying[ONION].sum(), stock.lying[DISH].sum()
    over = jnp.where(side.supplies | (any_pot == none), _hand_over(layout, side, ONION), none)
    nobody = ((side.other == ONION) & side.nearer) | (side.other == SOUP) | side.alone | (side.cooks & (dishes > 0))
    blocked = (stock.lacks == 0) & (side.short > 0) & nobody & ~(side.cooks & (dishes == 0))
    stop = side.supplies & (side.short > dishes) & (onions >= jnp.maximum(stock.lacks, 1))  # a dish goes first
    here = jnp.where(over < none, over, jnp.where(pot < none, pot, any_pot))
    sure = jnp.where(over < none, (onions < ROOM) | (stock.lacks > onions), pot < none)
    aside = stop | (blocked & (over == none))
    station = jnp.where(aside, _aside(layout, side), here)
    return Want(station, (aside | sure) & (station < none), jnp.array(True))


def _bring_dish(layout: str, side: Side, left: Array) -> Want:
    """To the pot that is ready first, or over a counter; aside where it is of no use."""
    table, stock, none = tables(layout), side.stock, len(side.reach)
    any_pot, first = side.best(load(layout).terrain == POT), side.best(stock.cooks, 2 * jnp.maximum(left, 0))
    over = jnp.where(side.supplies | (any_pot == none), _hand_over(layout, side, DISH), none)
    too_many = (side.due + (stock.lacks <= 1) < side.dishes) & (side.seat == 1)
    too_early = (side.due == 0) & (stock.lacks > side.onions + 1) & ~(table.relay & ~side.alone)
    useless = (too_many | too_early) & (over == none)
    pot = jnp.where(first < none, first, side.best(stock.room | stock.full, -20 * stock.filled))
    station = jnp.where(over < none, over, jnp.where(useless, _aside(layout, side), pot))
    at_pot = (over == none) & ~useless
    wait, way = (rows.at[station].get(mode="fill", fill_value=0) for rows in (left, side.reach))
    hard = ~at_pot | ((wait >= 0) & (wait <= way + 1))
    return Want(station, hard & (station < none), ~at_pot | (wait == 0))


def _serve(layout: str, side: Side) -> Want:
    """To the serving counter, or to who can reach it."""
    serving, none = side.best(load(layout).terrain == SERVING), len(side.reach)
    station = jnp.where(serving < none, serving, _hand_over(layout, side, DISH))
    return Want(station, station < none, jnp.array(True))


def _hand_over(layout: str, side: Side, what: int) -> Array:
    """int32[]: the free counter on which it hands over an onion, or a dish."""
    passes = tables(layout).passes[0 if what == ONION else 1]
    return side.best(side.stock.free & (passes < FAR), 4 * passes)


def _aside(layout: str, side: Side) -> Array:
    """int32[]: a free counter for something that is in its way; rather none on which things are handed over."""
    table = tables(layout)
    return side.best(side.stock.free, 6 * (table.passes[0] < FAR) * table.relay)


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
