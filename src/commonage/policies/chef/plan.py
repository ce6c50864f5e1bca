"""What both chefs should do now: what each wants by what is in its hands, and how the two get there."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.grid.kitchen import (
    COUNTER,
    DISH,
    DISHES,
    FAR,
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
)
from commonage.policies.chef.tables import Tables, tables_of

SOON = 10  # steps before a soup is ready a dish is fetched for it


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


def wants(layout: str, here: Kitchen) -> list[Want]:
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
    table, alone = tables_of(layout), here.alone[seat]
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
    table, stock, none = tables_of(layout), side.stock, len(side.reach)
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
    table, stock, none = tables_of(layout), side.stock, len(side.reach)
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
    passes = tables_of(layout).passes[0 if what == ONION else 1]
    return side.best(side.stock.free & (passes < FAR), 4 * passes)


def _aside(layout: str, side: Side) -> Array:
    """int32[]: a free counter for something that is in its way; rather none on which things are handed over."""
    table = tables_of(layout)
    return side.best(side.stock.free, 6 * (table.passes[0] < FAR) * table.relay)


# how they get there


def moves(table: Tables, here: Kitchen, wanted: list[Want]) -> tuple[Array, Array]:
    """(int32[2] the moves of both, bool[2] who is on its way, or gives way to the other)."""
    none, n = table.reach.shape[1] - 1, len(table.next)
    stations = jnp.stack([want.station for want in wanted])
    hard = jnp.stack([want.hard for want in wanted])
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
    now = jnp.stack([want.now for want in wanted]) & hard
    act = jnp.where(faces, jnp.where(now, INTERACT, STAY), turn)
    made = jnp.where(fixed, act, jnp.where((walk == STAY) & beside & ~faces, turn, walk))
    return made.astype(jnp.int32), ~fixed & hard


def around(key: Array, table: Tables, here: Kitchen, want: Want, me: Array) -> Array:
    """int32[]: the move to its station around a partner who stands; any where there is no way."""
    place, other = here.place[me], here.place[1 - me]
    after = jnp.asarray(table.next)[place]
    far = jnp.where(after == other, FAR, jnp.asarray(table.around)[other, after, want.station])
    return jnp.where(far.min() < FAR, jnp.argmin(far), seeds.below(seeds.fold(key, "around"), 4)).astype(jnp.int32)
