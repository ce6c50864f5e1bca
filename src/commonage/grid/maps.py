"""The maps: which cells are of which kind. Geometry of the published levels, in a file of the project's own."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

FACINGS = ((-1, 0), (0, 1), (1, 0), (0, -1))  # north, east, south, west: (rows down, columns right)


class Map(NamedTuple):
    """Cells are numbered row by row from the upper left; the outermost ones are walls, so nothing is beyond them."""

    height: int
    width: int
    kinds: dict[str, np.ndarray]  # bool[cells]: which cells are of this kind

    @property
    def walls(self) -> np.ndarray:
        """bool[cells]"""
        return self.kinds["wall"]

    def codes(self, **codes: int) -> np.ndarray:
        """uint8[cells]: the code of each kind; the floor is 1."""
        cells = np.ones(self.height * self.width, np.uint8)
        for kind, code in codes.items():
            cells[self.kinds.get(kind, [])] = code
        return cells


@functools.cache
def _all() -> dict[str, Any]:
    return json.loads(resources.files("commonage.grid").joinpath("maps.json").read_text(encoding="utf-8"))


def names() -> list[str]:
    """Of all maps in `maps.json`."""
    return list(_all())


@functools.cache
def load(name: str) -> Map:
    """A map by its name in `maps.json`."""
    found = dict(_all()[name])
    height, width = found.pop("height"), found.pop("width")
    return Map(height, width, {kind: _mask(rows, height, width) for kind, rows in found.items()})


def _mask(rows: Any, height: int, width: int) -> np.ndarray:
    """bool[cells] of stretches [row, first column, last column]."""
    mask = np.zeros((height, width), bool)
    for row, first, last in rows:
        mask[row, first : last + 1] = True
    return mask.ravel()


def strip(mask: np.ndarray, width: int) -> slice:
    """The rows that hold all true cells, as a stretch of cells: what can only happen there is drawn only there."""
    rows = np.flatnonzero(mask.reshape(-1, width).any(1))
    return slice(int(rows[0]) * width, (int(rows[-1]) + 1) * width)


@functools.cache
def reach(name: str, length: int, radius: int) -> np.ndarray:
    """`reach_of` a map by its name."""
    return reach_of(load(name), length, radius)


def reach_of(ground: Map, length: int, radius: int) -> np.ndarray:
    """uint8[facing, cell, 2 radius + 1]: how many cells of each line of a beam there are before a wall.

    The middle line begins ahead; those at its sides begin beside the player and are as much shorter as they are further
    out. One whose first cell is blocked also blocks those further out, as in DMLab2D.
    """
    open_ = ~ground.walls.reshape(ground.height, ground.width)
    found = np.zeros((4, ground.height, ground.width, 2 * radius + 1), np.uint8)
    for facing, (down, right) in enumerate(FACINGS):
        for side in sorted(range(-radius, radius + 1), key=abs):
            clear = np.ones_like(open_)
            for far in line(side, length):
                clear &= _shifted(open_, far * down + side * right, far * right - side * down)
                found[facing, ..., side + radius] += clear
            if abs(side) > 1:
                found[facing, ..., side + radius] *= found[facing, ..., side + radius - np.sign(side)] > 0
    return found.reshape(4, -1, 2 * radius + 1)


def line(side: int, length: int) -> range:
    """How far ahead the cells of a beam's line are."""
    return range(1, length + 1) if side == 0 else range(length - abs(side) + 1)


def _shifted(mask: np.ndarray, down: int, right: int) -> np.ndarray:
    """mask[row + down, column + right], false beyond the edge."""
    height, width = mask.shape
    out = np.zeros_like(mask)
    rows, columns = slice(max(-down, 0), height - max(down, 0)), slice(max(-right, 0), width - max(right, 0))
    out[rows, columns] = np.roll(mask, (-down, -right), (0, 1))[rows, columns]
    return out
