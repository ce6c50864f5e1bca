"""Goals in place of single moves: go to the nearest apple, clean the nearest dirt; each expands to moves by the path-finder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.grid import paths
from commonage.grid.kernel import NOOP, TURN_LEFT, TURN_RIGHT, WALL, WHO
from commonage.grid.led import Step
from commonage.grid.words import GROUND

if TYPE_CHECKING:
    from commonage.grid.game import Grid

PLAYER = -1  # in place of a code
REACH = 3  # cells ahead that a beam is taken to reach


class Goal(NamedTuple):
    """What a seat may want."""

    words: str
    thing: int  # the code of what it is about, PLAYER, or 0: nothing
    move: int  # what is done to it from up to three cells away, or, where it is about nothing, at once; NOOP: it is walked onto


def goals(game: Grid) -> tuple[Goal, ...]:
    """Of a grid: to wait, to look around, to walk onto things, to use each beam on what it is for."""
    aims = [(act, game.aims.get(act, "player")) for act in game.acts]
    codes = {"player": PLAYER, **{thing: code for code, thing in enumerate(game.things)}}
    things = [thing for thing in game.things if thing not in GROUND and thing not in dict(aims).values()]
    walking = len(game.questions[0].options) - len(game.acts)
    return (
        Goal("wait", 0, NOOP),
        Goal("look around", 0, TURN_RIGHT),
        *(Goal(f"go to the nearest {thing}", codes[thing], NOOP) for thing in things),
        *(Goal(f"{act} the nearest {aim}", codes[aim], walking + i) for i, (act, aim) in enumerate(aims)),
    )


def lead(sight: Any, window: tuple[int, int, int], goal: Goal) -> Step:
    """The next move of a seat towards a goal; `sight` is its own row of a grid's sight."""
    if not goal.thing:
        return Step(jnp.int32(goal.move), jnp.array(True), jnp.array(True))
    at, facing = paths.here(sight, window)
    return _lead(jnp.asarray(sight.view), at, facing, goal.thing, goal.move)


@jax.jit
def _lead(view: Array, at: Array, facing: Array, thing: Array, move: Array) -> Step:
    lines, columns = np.indices(view.shape)
    mine = (lines == at[0]) & (columns == at[1])
    wanted = ~mine & jnp.where(thing == PLAYER, view >= WHO, view % WHO == thing)
    away = paths.flood(wanted, mine | ((view != WALL) & (view != 0) & (view < WHO)), view.size)
    near = away[at[0], at[1]]
    sides = jnp.stack([_straight(wanted, view == WALL, at, (facing + turn) & 3) for turn in range(4)])
    turn = jnp.where(jnp.argmax(sides) == 3, TURN_LEFT, TURN_RIGHT)
    aim = jnp.where(sides[0], move, turn)
    acts = (move != NOOP) & sides.any()
    return Step(
        jnp.where(acts, aim, paths.toward(away, at, facing)).astype(jnp.int32),
        jnp.where(move != NOOP, sides[0], near == 1),
        (near < paths.FAR) | acts,
    )


def _straight(wanted: Array, wall: Array, at: Array, direction: Array) -> Array:
    """bool[]: whether one of the cells is within reach in this direction, and no wall before it."""
    down, right = jnp.array([-1, 0, 1, 0])[direction], jnp.array([0, 1, 0, -1])[direction]
    found, clear = jnp.array(False), jnp.array(True)
    for far in range(1, REACH + 1):
        row, column = at[0] + far * down, at[1] + far * right
        clear &= (row >= 0) & (row < wall.shape[0]) & (column >= 0) & (column < wall.shape[1]) & ~wall.at[row, column].get(mode="clip")
        found |= clear & wanted.at[row, column].get(mode="clip")
    return found
