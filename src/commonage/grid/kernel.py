"""What every grid shares: bodies that walk, beams, windows, and coming back. Pure functions on integers.

Rows of seats lead. Whoever is out keeps its cell, and is passed over.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.grid import maps
from commonage.grid.maps import Map

NOOP, FORWARD, BACK, LEFT, RIGHT, TURN_LEFT, TURN_RIGHT = range(7)
UNSEEN, FLOOR, WALL = range(3)  # codes of what lies on a cell; a game adds its own up to 15
WHO = 16  # in a view the number of whoever stands there, from 1, times this is added


class Body(NamedTuple):
    """Where the players are."""

    at: Array  # int32[seats]: the cell
    facing: Array  # int32[seats]: 0 north, 1 east, 2 south, 3 west
    out: Array  # int32[seats]: steps until it comes back; 0 = it is there


def done(tree: Any) -> Any:
    """The same, computed once: the compiler would repeat what it takes in each of its uses, which takes several times as long."""
    return jax.lax.optimization_barrier(tree)


def put(cells: Array, where: slice, new: Array) -> Array:
    """The cells with new ones in a stretch. CPUs join stretches six times as fast as they write one into an array."""
    return done(jnp.concatenate([cells[: where.start], done(new), cells[where.stop :]]))


def threshold(chance: np.ndarray) -> np.ndarray:
    """uint32[...]: a draw below it comes with this probability; a table of NumPy's, so that every machine decides alike."""
    return np.minimum(np.asarray(chance, np.float64) * 2**32, 2**32 - 1).astype(np.uint32)


def lay(cells: Array, spots: Array, code: int) -> Array:
    """The cells with this code on some of them; the spot len(cells) is none."""
    return cells.at[spots].set(np.uint8(code), mode="drop")


def offset(direction: Array, width: int) -> Array:
    """int32[...]: from a cell to its neighbour in this direction."""
    along = 1 - (direction & 2)  # 1 north and east, -1 south and west
    return jnp.where(direction & 1, along, -width * along)


def walk(key: Array, body: Body, moves: Array, ground: Map, overlap: bool = False) -> Body:
    """Turns and steps. All move at once: where two want the same cell, a random one of them has it.

    They are taken one after another in a random order, so that one may follow into a cell that was left before its turn
    came; `overlap`: nobody is in anybody's way.
    """
    turned = (body.facing + (moves == TURN_RIGHT) + 3 * (moves == TURN_LEFT)) & 3
    steps = (moves >= FORWARD) & (moves <= RIGHT)
    way = jnp.where(moves == BACK, 2, jnp.where(moves == LEFT, 3, jnp.where(moves == RIGHT, 1, 0)))
    wanted = body.at + jnp.where(steps, offset((body.facing + way) & 3, ground.width), 0)
    wanted = jnp.where(jnp.asarray(ground.walls)[wanted], body.at, wanted)
    return body._replace(at=wanted if overlap else _settled(key, body, wanted), facing=turned)


def _settled(key: Array, body: Body, wanted: Array) -> Array:
    """int32[seats]: where they stand after all have tried to go where they want."""
    seats, here, at = len(wanted), body.out == 0, body.at
    turn = ranks(seeds.bits(key, (seats,)))
    for i in range(seats):
        goal = jnp.where(turn == i, wanted, 0).sum()
        free = ~((at == goal) & here).any()
        at = jnp.where((turn == i) & free, goal, at)
    return at


def ranks(tickets: Array) -> Array:
    """int32[n]: how many tickets are higher; of equal ones the earlier counts as higher."""
    n = len(tickets)
    earlier = np.arange(n)[:, None] < np.arange(n)
    return ((tickets[:, None] > tickets) | ((tickets[:, None] == tickets) & earlier)).sum(0).astype(jnp.int32)


def come_back(key: Array, body: Body, coming: Array, cells: np.ndarray) -> Body:
    """Those who are `coming`, bool[seats], stand on cells of these, int[spots], where nobody is; they face any way.

    Each spot draws a ticket; the first of them takes the highest free one, and so on.
    """
    tickets = seeds.bits(seeds.fold(key, "spot"), (len(cells),)) | np.uint32(1)
    here, at = (body.out == 0) & ~coming, body.at
    taken = ((at[:, None] == cells) & here[:, None]).any(0)
    tickets = jnp.where(taken, 0, tickets)
    for i in range(len(at)):
        best = tickets == tickets.max()
        at = at.at[i].set(jnp.where(coming[i], jnp.where(best, cells, 0).max(), at[i]))
        tickets = jnp.where(best & coming[i], 0, tickets)
    facing = seeds.below(seeds.fold(key, "facing"), 4, at.shape)
    return Body(at, jnp.where(coming, facing, body.facing), jnp.where(coming, 0, body.out))


def relative(body: Body, width: int) -> tuple[Array, Array]:
    """(how far ahead, how far to the right) of each row's player each column's is: int32[seats, seats]."""
    rows, columns = body.at // width, body.at % width
    south, east = rows - rows[:, None], columns - columns[:, None]
    facing = body.facing[:, None]
    along, across = jnp.where(facing & 1, east, -south), jnp.where(facing & 1, south, east)
    sign = 1 - (facing & 2)
    return along * sign, across * sign


def window(cells: Array, body: Body, ground: Map, ahead: int, behind: int, side: int) -> Array:
    """uint8[seats, ahead + behind + 1, 2 side + 1]: what lies around each, as it faces; beyond the edge there are walls."""
    rows, columns = body.at // ground.width, body.at % ground.width
    east, sign = (body.facing & 1) == 1, 1 - (body.facing & 2)
    clip = lambda place, size: jnp.clip(place, 0, size - 1)
    line = (sign * np.arange(ahead, -behind - 1, -1)[:, None]).T  # [seats, lines]: steps along the facing, north and east counted up
    across = (sign * np.arange(-side, side + 1)[:, None]).T
    pick = lambda yes, no: jnp.where(east[:, None], yes, no)
    far = pick(clip(columns[:, None] + line, ground.width), clip(rows[:, None] - line, ground.height) * ground.width)
    near = pick(clip(rows[:, None] + across, ground.height) * ground.width, clip(columns[:, None] + across, ground.width))
    return cells.at[far[:, :, None] + near[:, None, :]].get(mode="promise_in_bounds")


def stand(cells: Array, body: Body) -> Array:
    """uint8[cells] with whoever stands there: `code + 16 (seat + 1)`; of several the last."""
    seats = len(body.at)
    who = (np.arange(seats) + 1) * WHO
    spot = jnp.where(body.out == 0, body.at, len(cells))
    marked = jnp.zeros_like(cells).at[spot].max(jnp.asarray(who, jnp.uint8), mode="drop")
    return cells | marked


def beam(stops: Array, body: Body, reach: np.ndarray, width: int) -> Array:
    """int32[seats, lines]: the first cell in each line of everybody's beam that stops it, of bool[cells]; len(stops) = none.

    `reach` as of `maps.reach`.
    """
    lines, none = reach.shape[-1], len(stops)
    open_ = jnp.asarray(reach)[body.facing, body.at].astype(jnp.int32)
    ahead, right = offset(body.facing, width), offset((body.facing + 1) & 3, width)
    spots: list[Array] = []
    for line in range(lines):
        side, first = line - lines // 2, jnp.full_like(body.at, none)
        far = maps.line(side, int(reach.max()))
        for step in reversed(range(len(far))):
            spot = body.at + far[step] * ahead + side * right
            first = jnp.where((step < open_[:, line]) & stops[spot], spot, first)
        spots.append(first)
    return jnp.stack(spots, 1)


def square(stops: Array, body: Body, ground: Map, length: int, radius: int) -> Array:
    """int32[seats, cells]: every cell of bool[cells] in a beam that passes through everything, all lines from ahead on; else len(stops)."""
    far, side = (axis.ravel() for axis in np.meshgrid(np.arange(1, length + 1), np.arange(-radius, radius + 1), indexing="ij"))
    east, sign = (body.facing & 1)[:, None] == 1, 1 - (body.facing & 2)[:, None]
    rows, columns = (body.at // ground.width)[:, None], (body.at % ground.width)[:, None]
    rows = rows + sign * jnp.where(east, side, -far)
    columns = columns + sign * jnp.where(east, far, side)
    inside = (rows >= 0) & (rows < ground.height) & (columns >= 0) & (columns < ground.width)
    spots = jnp.where(inside, rows * ground.width + columns, 0)
    return jnp.where(inside & stops[spots], spots, len(stops))


def hits(fired: Array, spots: Array, body: Body) -> Array:
    """bool[seats, seats]: whom (column) the beam of who `fired` (row) ends at, of cells as of `beam`."""
    return (spots[:, :, None] == body.at).any(1) & (body.out == 0) & fired[:, None]
