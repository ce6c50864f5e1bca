"""A grid as a scene: walls and ground as stretches, things as dots, players with a dot where they face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from commonage.grid.kernel import Body
from commonage.grid.maps import FACINGS, Map

GROUND = ("unseen", "wall", "water", "dirt")  # fill their cells; other things are dots


def draw(cells: Any, body: Body, ground: Map, things: Sequence[str]) -> list[dict[str, Any]]:
    """Shapes in units of the longer side of the map, which is 1."""
    unit = 1 / max(ground.height, ground.width)
    field = {"shape": "rect", "x": 0.0, "y": 0.0, "w": ground.width * unit, "h": ground.height * unit, "fill": "floor"}
    rows = np.asarray(cells).reshape(ground.height, ground.width)
    shapes = [field, *(shape for row, codes in enumerate(rows) for shape in _row(row, codes, things, unit))]
    return shapes + [shape for seat in np.flatnonzero(body.out == 0).tolist() for shape in _player(seat, body, ground.width, unit)]


def near(body: Body, seat: int, ground: Map, window: tuple[int, int, int] | None) -> Any:
    """bool[cells]: those within the window (cells ahead, behind, at each side) of a player; None: all, as long as it is not out."""
    if window is None or body.out[seat] != 0:
        return np.full(ground.height * ground.width, body.out[seat] == 0)
    down, right = FACINGS[int(body.facing[seat])]
    rows, columns = np.divmod(np.arange(ground.height * ground.width), ground.width)
    south, east = rows - int(body.at[seat]) // ground.width, columns - int(body.at[seat]) % ground.width
    far, across = south * down + east * right, east * -down + south * right
    ahead, behind, side = window
    return (far <= ahead) & (far >= -behind) & (abs(across) <= side)


def _row(row: int, codes: Any, things: Sequence[str], unit: float) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = []
    starts = np.flatnonzero(np.diff(codes.astype(int), prepend=-1))
    for first, end in zip(starts.tolist(), [*starts[1:].tolist(), len(codes)], strict=True):
        thing = things[int(codes[first])]
        if thing in GROUND:
            shapes.append({"shape": "rect", "x": first * unit, "y": row * unit, "w": (end - first) * unit, "h": unit, "fill": thing})
        elif thing != "floor":
            shapes += [_dot(column, row, 0.28, thing, unit) for column in range(first, end)]
    return shapes


def _dot(x: float, y: float, r: float, fill: str, unit: float) -> dict[str, Any]:
    """A circle whose centre is (x, y) cells from that of the first."""
    return {"shape": "circle", "x": (x + 0.5) * unit, "y": (y + 0.5) * unit, "r": r * unit, "fill": fill}


def _player(seat: int, body: Body, width: int, unit: float) -> list[dict[str, Any]]:
    row, column = divmod(int(body.at[seat]), width)
    down, right = FACINGS[int(body.facing[seat])]
    nose = _dot(column + 0.36 * right, row + 0.36 * down, 0.13, "ink", unit)
    return [{**_dot(column, row, 0.44, "seat", unit), "seat": seat, "text": str(seat + 1)}, nose]
