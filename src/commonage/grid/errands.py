"""Errands in place of single moves in a kitchen: fetch an onion, serve the soup; each expands to moves, around whoever is in the way."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.grid import paths
from commonage.grid.kitchen import (
    COUNTER,
    DISH,
    DISHES,
    FLOOR,
    INTERACT,
    NAMES,
    NOTHING,
    ONION,
    ONIONS,
    POT,
    ROOM,
    SERVING,
    SOUP,
    STAY,
    TOMATO,
    TOMATOES,
    Kitchen,
    count,
    kind,
    load,
)  # fmt: skip
from commonage.grid.led import Step

BOXES = {ONION: ONIONS, TOMATO: TOMATOES, DISH: DISHES}
WAIT = "wait"


def errands(kitchen: Kitchen, starts: bool) -> tuple[str, ...]:
    """What a cook may want, in words; `starts`: pots are started by hand (new dynamics)."""
    boxes = [what for what, box in BOXES.items() if (kitchen.terrain == box).any()]
    soups = ["put it into a pot", *["start a pot"] * starts, "take a soup", "serve it"]
    return (
        WAIT,
        *(f"fetch {NAMES[what]}" for what in boxes),
        *soups,
        "put it down",
        *(f"pick up {NAMES[what]}" for what in (*boxes, SOUP)),
    )


def lead(sight: Any, layout: str, starts: bool, yields: bool = False) -> list[Step]:
    """The next move of a seat towards each of the errands; `sight` is its own row of the kitchen's sight. Who `yields` does not walk."""
    steps = leads(
        layout, starts, *(jnp.asarray(field) for field in (sight.seat, sight.at, sight.facing, sight.held, sight.things, sight.left))
    )
    steps = steps._replace(move=np.where(yields & (np.asarray(steps.move) < STAY), STAY, steps.move))
    return [Step(*each) for each in zip(*(np.asarray(field) for field in steps), strict=True)]


def hindrance(sight: Any, kitchen: Kitchen, starts: bool, errand: int) -> str:
    """What an errand lacks, in words: the right hands, a place for it, or a way there."""
    hand = kind(sight.held[sight.seat])
    able, spots, _ = _targets(kitchen, starts, jnp.asarray(hand), jnp.asarray(sight.things), jnp.asarray(sight.left))[errand]
    if not able:
        return f"your hands hold {NAMES[int(hand)]}"
    return "there is no way to it" if bool(spots.any()) else "there is no place for it now"


@functools.partial(jax.jit, static_argnums=(0, 1))
def leads(layout: str, starts: bool, me: Array, at: Array, facing: Array, held: Array, things: Array, left: Array) -> Step:
    """Of arrays [errands]: the next move towards each of them, of the seat `me`; the rest is as in the kitchen's sight."""
    kitchen = load(layout)
    others = jnp.where(np.arange(len(at)) == me, -1, at)
    taken = (np.arange(len(kitchen.terrain))[:, None] == others).any(1)
    able, spots, now = (jnp.stack(column) for column in zip(*_targets(kitchen, starts, kind(held[me]), things, left), strict=True))
    to = functools.partial(_towards, kitchen, at[me], facing[me], taken)
    steps = jax.vmap(to)(able, spots, now)
    return steps._replace(
        move=steps.move.at[0].set(STAY), last=steps.last.at[0].set(True), possible=steps.possible.at[0].set(True)
    )  # to wait


def _targets(kitchen: Kitchen, starts: bool, hand: Array, things: Array, left: Array) -> list[tuple[Array, Array, Array]]:
    """Of each errand: (whether its hands are right, bool[cells] where it is done, bool[cells] where it can be done now)."""
    terrain, lies = kitchen.terrain, kind(things)
    counter, pot = jnp.asarray(terrain == COUNTER), jnp.asarray(terrain == POT)
    empty, idle = hand == NOTHING, left < 0
    boxes = [(what, jnp.asarray(terrain == box)) for what, box in BOXES.items() if (terrain == box).any()]
    free, room = counter & (things == NOTHING), pot & idle & (count(things) < ROOM)
    serving, full = jnp.asarray(terrain == SERVING), pot & idle & (count(things) > 0)
    same = lambda able, where: (able, where, where)
    return [
        same(jnp.array(True), jnp.zeros(len(terrain), bool)),
        *(same(empty, where) for _, where in boxes),
        same((hand == ONION) | (hand == TOMATO), room),
        *[same(empty, full)] * starts,
        (hand == DISH, pot & ~idle, pot & (left == 0)),
        same(hand == SOUP, serving),
        same(~empty, free),
        *(same(empty, counter & (lies == what)) for what in (*(what for what, _ in boxes), SOUP)),
    ]


def _towards(kitchen: Kitchen, at: Array, facing: Array, taken: Array, able: Array, spots: Array, now: Array) -> Step:
    """To the nearest of these spots, then to face it, then to interact."""
    shape = kitchen.height, kitchen.width
    floor = jnp.asarray(kitchen.terrain == FLOOR)
    flood = lambda open_: paths.flood(spots.reshape(shape), open_.reshape(shape), floor.size).ravel()
    clear, through = flood(floor & ~taken), flood(floor)
    away = jnp.where(clear[at] < paths.FAR, clear, through)  # where there is no way around a player it waits until they leave
    ahead = jnp.asarray(kitchen.faced)[at * 4 + np.arange(4)]
    way = jnp.argmin(away[ahead])
    beside, faces = away[at] == 1, spots[ahead[facing]]
    act = jnp.where(now[ahead[facing]], INTERACT, STAY)
    walk = jnp.where(taken[ahead[way]], STAY, way)
    move = jnp.where(beside, jnp.where(faces, act, way), walk)
    return Step(move.astype(jnp.int32), beside & faces & (act == INTERACT), able & (away[at] < paths.FAR))
