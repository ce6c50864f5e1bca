"""What seats see, as arrays that networks take. Pure functions; rows of seats lead.

A view of a map is uint8[..., lines, columns]: `code + 16 (seat + 1 of who stands there)`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.errors import SpecError
from commonage.game import Game, base
from commonage.grid.game import Grid
from commonage.grid.kernel import WHO
from commonage.measure.style import COLORS, FILLS, color

Transform = Callable[[Game, Any], Array]  # of a game and its state: [seats, ...]
NONE = -1.0  # what a vector has for NaN, which is a deed that there was not


def onehot(view: Array, things: int, seats: int) -> Array:
    """uint8[..., things + seats], 0 or 1: what lies on each cell of a view, and who stands there."""
    lies = view[..., None] % WHO == np.arange(things, dtype=np.uint8)
    stands = view[..., None] // WHO == np.arange(1, seats + 1, dtype=np.uint8)
    return jnp.concatenate([lies, stands], -1).astype(jnp.uint8)


def rgb(view: Array, things: Sequence[str]) -> Array:
    """uint8[..., 3]: a pixel a cell, in the colours of the picture; who stands there hides what lies there."""
    return jnp.asarray(_pixels(tuple(things)))[view]


def flat(tree: Any) -> Array:
    """float32[seats, n]: all numbers of a pytree whose leaves are [seats, ...], in a row; NaN is -1."""
    leaves = [jnp.asarray(leaf, jnp.float32) for leaf in jax.tree.leaves(tree)]
    row = jnp.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], -1)
    return jnp.where(jnp.isnan(row), NONE, row)


def _pixels(things: tuple[str, ...]) -> np.ndarray:
    """uint8[256, 3]: the colour of each code of a view."""
    lying = [_colour(thing) for thing in things] + [(0, 0, 0)] * (WHO - len(things))
    standing = [_hex(COLORS[color(seat)][seat // 8]) for seat in range(WHO - 1)]  # past eight the dark page's: no two alike
    return np.array([*lying, *(pixel for pixel in standing for _ in range(WHO))], np.uint8)


def _colour(thing: str) -> tuple[int, int, int]:
    """Of what lies on a cell; black where nothing is seen, and one from its name where the picture has none for it."""
    if thing == "unseen":
        return (0, 0, 0)
    return _hex(FILLS[thing][0] if thing in FILLS else f"#{zlib.crc32(thing.encode()) & 0xFFFFFF:06x}")


def _hex(text: str) -> tuple[int, int, int]:
    """`#a0b1c2` as three numbers."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


# of a game


def view(game: Game, state: Any) -> Array:
    """`codes`: what each seat sees of the map, uint8[seats, lines, columns]."""
    return game.sights(state)[base(game).label].view


def _onehot(game: Game, state: Any) -> Array:
    return onehot(view(game, state), len(_map(game).things), game.seats)


def _rgb(game: Game, state: Any) -> Array:
    return rgb(view(game, state), _map(game).things)


def vector(game: Game, state: Any) -> Array:
    """`flat`: all that each seat sees in any layer, but for a view; then which question it is asked, one-hot, where there are several."""
    first, *more = game.sights(state).items()
    own = first[1]._replace(view=jnp.zeros((game.seats, 0))) if isinstance(base(game), Grid) else first[1]
    asked = [game.ask(state).which[:, None] == np.arange(len(game.questions))] if len(game.questions) > 1 else []
    return flat([own, *(sight for _, sight in more), *asked])


OBSERVE: dict[str, tuple[Transform, float, float]] = {  # by name: of a game and its state; the lowest, the highest
    "codes": (view, 0, 255),
    "onehot": (_onehot, 0, 1),
    "rgb": (_rgb, 0, 255),
    "flat": (vector, -(2.0**31), 2.0**31),
}


def of(game: Game, name: str | Transform) -> tuple[Transform, float, float]:
    """(a transform by its name, or one of your own; the least and the greatest number in it).

    Raises SpecError where there is none of the name, or the game has nothing of the kind.
    """
    if callable(name):
        return name, -np.inf, np.inf
    if name not in OBSERVE:
        raise SpecError(f"observe={name!r}: it must be {', '.join(OBSERVE)}, or a function (game, state) -> [seats, ...]")
    if name != "flat":
        _map(game)
    return OBSERVE[name]


def _map(game: Game) -> Grid:
    inner = base(game)
    if not isinstance(inner, Grid):
        raise SpecError(f"{inner.name} has no map to look at: observe=flat")
    return inner
