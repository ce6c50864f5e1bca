"""The kitchen as a picture: terrain in squares, things as dots, the time of a soup as a bar."""

from __future__ import annotations

from typing import Any

import numpy as np

from commonage.grid.kitchen import DISH, NOTHING, ONION, POT, SOUP, TOMATO, Kitchen, ingredients, kind

NAMES = ("", "", "onions", "tomatoes", "dishes", "", "serve")  # what is written on the terrain
FILL = ("floor", "counter", "onion box", "tomato box", "dish stack", "pot", "serving")
COLOUR = {ONION: "onion", TOMATO: "tomato", DISH: "dish", SOUP: "dish"}
NOSE = ((0, -1), (0, 1), (1, 0), (-1, 0))  # right, down: north, south, east, west


def draw(kitchen: Kitchen, world: Any, left: np.ndarray, times: np.ndarray) -> list[dict[str, Any]]:
    """Shapes in units of the longer side, which is 1. `left`: of each cell steps until its soup is ready; `times` by recipe."""
    unit, width = 1 / max(kitchen.height, kitchen.width), kitchen.width
    shapes: list[dict[str, Any]] = []
    for cell, ground in enumerate(kitchen.terrain.tolist()):
        y, x = divmod(cell, width)
        name = {"text": NAMES[ground]} if NAMES[ground] else {}
        shapes.append({"shape": "rect", "x": x * unit, "y": y * unit, "w": unit, "h": unit, "fill": FILL[ground], **name})
    for cell, code in enumerate(world.things.tolist()):
        y, x = divmod(cell, width)
        shapes += _thing(code, x, y, 0.3, unit)
        if left[cell] >= 0 and kitchen.terrain[cell] == POT:
            done = 1 - left[cell] / max(1, times[code >> 3 & 63])
            shapes.append(
                {"shape": "bar", "x": (x + 0.1) * unit, "y": (y + 0.82) * unit, "w": 0.8 * unit, "h": 0.12 * unit, "value": float(done)}
            )
    for seat, (cell, facing, held) in enumerate(zip(world.at.tolist(), world.facing.tolist(), world.held.tolist(), strict=True)):
        y, x = divmod(cell, width)
        right, down = NOSE[facing]
        shapes += [{**_dot(x, y, 0.42, "seat", unit), "seat": seat, "text": str(seat + 1)}]
        shapes += [_dot(x + 0.36 * right, y + 0.36 * down, 0.12, "ink", unit), *_thing(held, x + 0.28 * right, y + 0.28 * down, 0.2, unit)]
    return shapes


def _thing(code: int, x: float, y: float, r: float, unit: float) -> list[dict[str, Any]]:
    """A dot; a soup has a smaller one for each ingredient on it."""
    what = int(kind(code))
    if what == NOTHING:
        return []
    inside = ingredients(code) if what == SOUP else ()
    spots = [(x + (place - 1) * 0.55 * r, y) for place in range(len(inside))]
    return [_dot(x, y, r, COLOUR[what], unit), *(_dot(a, b, 0.4 * r, COLOUR[one], unit) for one, (a, b) in zip(inside, spots, strict=True))]


def _dot(x: float, y: float, r: float, fill: str, unit: float) -> dict[str, Any]:
    return {"shape": "circle", "x": (x + 0.5) * unit, "y": (y + 0.5) * unit, "r": r * unit, "fill": fill}
