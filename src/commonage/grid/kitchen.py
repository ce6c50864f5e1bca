"""Kitchens: terrain by letters, things as whole numbers, tables by layout. For the game, and for who plays it.

A thing is one number: its kind, then for a soup its ingredients in order (two bits each), then its cooking tick and 1.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jax import Array

from commonage.errors import SpecError

NORTH, SOUTH, EAST, WEST, STAY, INTERACT = range(6)
MOVES = ("north", "south", "east", "west", "stay", "interact")
FLOOR, COUNTER, ONIONS, TOMATOES, DISHES, POT, SERVING = range(7)
LETTERS = " XOTDPS"  # of the terrain, in this order
NOTHING, ONION, TOMATO, DISH, SOUP = range(5)  # the kind of a thing
NAMES = ("nothing", "an onion", "a tomato", "a dish", "a soup")
ROOM = 3  # ingredients that a pot takes
KIND, CONTENTS, TICK = 7, 63, 9  # masks of the kind and, three bits higher, of the ingredients; the bit where the tick begins
FAR = 250  # there is no way

LAYOUTS = {  # as the papers have them (Carroll et al. 2019); a digit is where that player starts
    "cramped_room": ("XXPXX", "O  2O", "X1  X", "XDXSX"),
    "asymmetric_advantages": ("XXXXXXXXX", "O XSXOX S", "X   P 1 X", "X2  P   X", "XXXDXDXXX"),
    "coordination_ring": ("XXXPX", "X 1 P", "D2X X", "O   X", "XOSXX"),
    "forced_coordination": ("XXXPX", "O X1P", "O2X X", "D X X", "XXXSX"),
    "counter_circuit_o_1order": ("XXXPPXXX", "X  2   X", "D XXXX S", "X  1   X", "XXXOOXXX"),
}


class Kitchen(NamedTuple):
    """Cells are numbered row by row from the upper left. Nobody walks off the map: its edge has no floor."""

    height: int
    width: int
    terrain: np.ndarray  # uint8[cells]: FLOOR to SERVING
    starts: tuple[int, ...]  # the cell of each player

    @property
    def faced(self) -> np.ndarray:
        """int32[4 cells]: what who stands in a cell and faces north, south, east, west has before them; at the edge their own cell."""
        rows, columns = np.indices((self.height, self.width))
        ways = [(rows - 1, columns), (rows + 1, columns), (rows, columns + 1), (rows, columns - 1)]
        inside = [(r >= 0) & (r < self.height) & (c >= 0) & (c < self.width) for r, c in ways]
        here = rows * self.width + columns
        there = [np.where(ok, r * self.width + c, here).ravel() for ok, (r, c) in zip(inside, ways, strict=True)]
        return np.stack(there, 1).ravel().astype(np.int32)

    @property
    def next(self) -> np.ndarray:
        """int32[8 cells]: where each of the six moves leads to from a cell, with nobody in the way."""
        front = self.faced.reshape(-1, 4)
        here = np.arange(len(front))[:, None]
        walked = np.where(self.terrain[front] == FLOOR, front, here)
        return np.concatenate([walked, np.broadcast_to(here, (len(front), 4))], 1).ravel().astype(np.int32)

    def cells(self, *kinds: int) -> np.ndarray:
        """int[n]: the cells of these kinds."""
        return np.flatnonzero(np.isin(self.terrain, kinds))

    @property
    def letters(self) -> list[str]:
        """The terrain, row by row."""
        return ["".join(LETTERS[kind] for kind in row) for row in self.terrain.reshape(self.height, self.width)]


@functools.cache
def load(layout: str) -> Kitchen:
    """A kitchen by the name of its layout, by the path of a text file with its rows, or by the rows themselves, divided by `/`.

    Raises SpecError for what is no kitchen.
    """
    return read(_rows(layout), layout)


def _rows(layout: str) -> Sequence[str]:
    if layout in LAYOUTS:
        return LAYOUTS[layout]
    if Path(layout).suffix == ".txt":
        if not Path(layout).is_file():
            raise SpecError(f"kitchen(layout={layout!r}): there is no such file")
        return [row for row in Path(layout).read_text(encoding="utf-8").splitlines() if row.strip()]
    if "/" in layout:
        return layout.split("/")
    raise SpecError(f"kitchen(layout={layout!r}): layout must be {', '.join(LAYOUTS)}, the path of a .txt, or rows divided by /")


def read(rows: Sequence[str], name: str) -> Kitchen:
    """A kitchen by its rows. Raises SpecError, which calls it by its name, where they are none."""
    refuse = lambda says: SpecError(f"kitchen(layout={name!r}): {says}")
    if not rows or len({len(row) for row in rows}) != 1:
        raise refuse(f"its rows must be equally long, and are {[len(row) for row in rows]}")
    if strange := sorted(set("".join(rows)) - set(LETTERS + "123456789")):
        raise refuse(f"{strange[0]!r} is no terrain: a space is floor, X counter, O onions, T tomatoes, D dishes, P pot, S serving")
    letters = np.array([list(row) for row in rows])
    digits = [str(number) for number in range(1, np.char.isdigit(letters).sum() + 1)]
    if len(digits) < 2 or any((letters == digit).sum() != 1 for digit in digits):
        raise refuse("the starts of its players must be 1, 2 and so on, each once")
    terrain = np.where(np.char.isdigit(letters), " ", letters)
    edge = np.concatenate([terrain[0], terrain[-1], terrain[:, 0], terrain[:, -1]])
    if (edge == " ").any():
        raise refuse("no floor may lie at its edge")
    codes = np.vectorize(LETTERS.index)(terrain).astype(np.uint8).ravel()
    height, width = terrain.shape
    return Kitchen(height, width, codes, tuple(int(np.flatnonzero(letters.ravel() == digit)[0]) for digit in digits))


def rows(terrain: Sequence[str], starts: Sequence[Sequence[int]]) -> str:
    """The rows of a kitchen in one text, as `load` takes it; `starts`: [x, y] of each player."""
    letters = [[" " if letter.isdigit() else letter for letter in row] for row in terrain]
    for number, (x, y) in enumerate(starts, 1):
        if not (0 <= y < len(letters) and 0 <= x < len(letters[y])):
            raise SpecError(f"kitchen: player {number} starts off the map, at x {x}, y {y}")
        letters[y][x] = str(number)
    return "/".join("".join(row) for row in letters)


# things


def kind(thing: Any) -> Any:
    """NOTHING to SOUP."""
    return thing & KIND


def contents(thing: Any) -> Any:
    """The ingredients of a soup, 0..63: the index of tables by recipe."""
    return thing >> 3 & CONTENTS


def tick(thing: Any) -> Any:
    """The cooking tick of a soup; -1: idle."""
    return (thing >> TICK) - 1


def count(thing: Any) -> Any:
    """How many ingredients a soup has."""
    held = contents(thing)
    return (held > 0) * 1 + (held > 3) + (held > 15)


def soup(ingredients: Sequence[int], tick: int = -1) -> int:
    """The number of a soup by its ingredients, ONION or TOMATO, in order."""
    return SOUP | sum(what << 2 * place for place, what in enumerate(ingredients)) << 3 | tick + 1 << TICK


def ingredients(thing: Any) -> tuple[int, ...]:
    """The ingredients of a soup in order; on the host."""
    held = int(contents(thing))
    return tuple(what for place in range(ROOM) if (what := held >> 2 * place & 3))


def recipe(thing: Any) -> str:
    """Of a soup: `oot`, onions first; on the host."""
    return "".join(sorted("xot"[what] for what in ingredients(thing)))


@functools.cache
def recipes() -> tuple[str, ...]:
    """Of every index of a table by recipe: `oot`; "" where it stands for none."""
    found = [""] * (CONTENTS + 1)
    for size in range(1, ROOM + 1):
        for mixed in itertools.product((ONION, TOMATO), repeat=size):
            found[contents(soup(mixed))] = recipe(soup(mixed))
    return tuple(found)


def add(thing: Array, what: Array) -> Array:
    """The soup with one more ingredient; NOTHING is an empty pot."""
    return thing | SOUP | what << 2 * count(thing) + 3


# ways


@functools.cache
def ways(layout: str) -> np.ndarray:
    """uint8[cells, cells]: steps from one cell to another over the floor; FAR where there is no way."""
    kitchen = load(layout)
    step, far = kitchen.next.reshape(-1, 8)[:, :4], np.full((len(kitchen.terrain),) * 2, FAR, np.int32)
    floor = kitchen.cells(FLOOR)
    far[floor, floor] = 0
    for _ in range(len(floor)):
        far[floor] = np.minimum(far[floor], far[step[floor]].min(1) + 1)
    return np.minimum(far, FAR).astype(np.uint8)
