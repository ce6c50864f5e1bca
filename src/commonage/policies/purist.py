"""Plays one pure strategy of `matrix`: collects tokens of one kind only, then looks for the other to interact."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.grid import maps, paths
from commonage.grid.game import WALKING
from commonage.grid.kernel import FLOOR, NOOP, TURN_RIGHT, UNSEEN, WALL, WHO
from commonage.grid.maps import FACINGS
from commonage.part import static
from commonage.policy import Policy

# as in `matrix`: what lies where, the move, how far one sees ahead, behind and to each side, how far and wide the beam goes
GREEN, RED, INTERACT = 3, 4, len(WALKING)
WINDOW, LENGTH, RADIUS = (3, 1, 2), 3, 1
MAPS = ("matrix_repeated", "matrix_repeated_dilemma")
KINDS = {"green": GREEN, "red": RED}


class Memory(NamedTuple):
    clock: Array  # int32[]: when it was last asked
    kinds: Array  # uint8[h, w]: what lies on the map when nothing was taken; UNSEEN = it does not know
    gone: Array  # bool[h, w]: it saw that nothing is left


class Purist(Policy):
    """It knows the map, and remembers what it saw since it last came in."""

    game = "matrix"

    token: str = static(default="green")
    enough: int = 5  # so many of them in its bag it looks for the other
    map: str = static(default="matrix_repeated")

    def check(self) -> None:
        self.require(self.token in KINDS, "token", " or ".join(KINDS))
        self.require(self.enough >= 1, "enough", "at least 1")
        self.require(self.map in MAPS, "map", " or ".join(MAPS))

    def start(self) -> Memory:
        return recall(self.map)

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal) -> tuple[Array, Memory]:
        return pursue(key, memory, sight, jnp.int32(KINDS[self.token]), self.enough)


def recall(name: str) -> Memory:
    """What one knows of a map before the first step."""
    ground = maps.load(name)
    kinds = ground.codes(wall=WALL, resource_1=GREEN, resource_2=RED, resource_either=UNSEEN).reshape(ground.height, ground.width)
    return Memory(jnp.int32(0), jnp.asarray(kinds), jnp.zeros(kinds.shape, bool))


def pursue(key: Array, memory: Memory, sight: Any, token: Array, enough: Any) -> tuple[Array, Memory]:
    """(move, memory): goes for tokens of this code until its bag holds enough of them, then for the other player."""
    view = survey(sight, memory.kinds.shape)
    memory = _remember(memory, sight, view)
    lies = (memory.kinds != FLOOR) & (memory.kinds != WALL) & ~memory.gone
    wanted, other = memory.kinds == token, _other(sight)
    hunts = sight.own.ready & (sight.own.bag[token - GREEN] >= enough)
    spot = jnp.where(other[0] >= 0, other, np.array(view.shape) // 2)  # where it does not see the other it waits in the middle
    tokens = jnp.where((wanted & lies).any(), wanted & lies, wanted)
    goals = jnp.where(hunts, (np.indices(view.shape) == spot[:, None, None]).all(0), tokens)
    open = (memory.kinds != WALL) & (view < WHO) & (~lies | (wanted & ~hunts))
    way = paths.toward(paths.flood(goals, open, sum(view.shape)), sight.at, sight.facing)
    return jnp.where(hunts, _hunt(key, sight, view, other, way), way).astype(jnp.int32), memory


def survey(sight: Any, size: tuple[int, ...]) -> Array:
    """uint8[h, w]: what it sees, on the map; UNSEEN elsewhere."""
    if sight.view.shape == size:
        return jnp.asarray(sight.view)
    ahead, behind, side = WINDOW
    rows, columns = np.indices(size)
    far, across = _relative(sight, rows, columns)
    inside = (far <= ahead) & (far >= -behind) & (abs(across) <= side)
    return jnp.where(inside, jnp.asarray(sight.view).at[ahead - far, side + across].get(mode="clip"), UNSEEN).astype(jnp.uint8)


def _relative(sight: Any, row: Any, column: Any) -> tuple[Array, Array]:
    """(how far ahead, how far to the right) of it a cell is."""
    (down, right), south, east = jnp.asarray(FACINGS)[sight.facing], row - sight.at[0], column - sight.at[1]
    return south * down + east * right, east * -down + south * right


def _remember(memory: Memory, sight: Any, view: Array) -> Memory:
    """All tokens are back when it comes in after it was out."""
    lies, away = view % WHO, sight.clock > memory.clock + 1
    token = lies >= GREEN
    return Memory(sight.clock, jnp.where(token, lies, memory.kinds), ((memory.gone & ~away) | (lies == FLOOR)) & ~token)


def _other(sight: Any) -> Array:
    """int32[2]: where the other stands; -1 where it is not seen."""
    place = sight.players[:, :2]
    return jnp.where((place != sight.at).any(1)[:, None], place, -1).max(0)


def _hunt(key: Array, sight: Any, view: Array, other: Array, way: Array) -> Array:
    """int32[]: to the other and interact; where it is not in view along the `way`, and at its end look around.

    One step in four towards the other it waits: two who look for each other could else dance around for ever.
    """
    far, across = _relative(sight, *other)
    beside, shoots = abs(far) + abs(across) == 1, (sight.own.wait == 0) & (sight.own.other_ready == 1)
    chase = jnp.where(beside, TURN_RIGHT, jnp.where(seeds.chance(key, 0.25), NOOP, way))
    chase = jnp.where(_reaches(sight, view, far, across), jnp.where(shoots, INTERACT, NOOP), chase)
    return jnp.where(other[0] >= 0, chase, jnp.where(way == NOOP, TURN_RIGHT, way))


def _reaches(sight: Any, view: Array, far: Array, across: Array) -> Array:
    """bool[]: its beam would hit who stands there: nothing lies between."""
    down, right = jnp.asarray(FACINGS)[sight.facing]
    steps = np.arange(LENGTH)
    between = (steps < far) & ((steps > 0) | (across != 0))
    cells = sight.at + steps[:, None] * jnp.stack([down, right]) + across * jnp.stack([right, -down])
    free = view.at[cells[:, 0], cells[:, 1]].get(mode="clip") == FLOOR
    inside = (abs(across) <= RADIUS) & (far >= (across == 0)) & (far <= LENGTH - abs(across))
    return inside & (free | ~between).all()
