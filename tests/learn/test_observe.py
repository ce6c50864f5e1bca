"""What seats see as arrays for networks: a corner of a map by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

from commonage import find, seeds
from commonage.games.cleanup import Cleanup
from commonage.grid.game import Grid
from commonage.learn import observe
from commonage.measure.style import FILLS

FLOOR, WALL, APPLE = 1, 2, 3
VIEW = np.array([[WALL, APPLE], [FLOOR + 16, APPLE + 32]], np.uint8)  # the first seat on the floor, the second on an apple
GRIDS = [name for name in sorted(find.parts("games")) if issubclass(find.find("games", name), Grid)]


def test_onehot_says_what_lies_and_who_stands_there() -> None:
    found = observe.onehot(VIEW, 4, 2)
    assert found.dtype == np.uint8
    assert found.tolist() == [[[0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0]], [[0, 1, 0, 0, 1, 0], [0, 0, 0, 1, 0, 1]]]


def test_pixels_have_the_colours_of_the_picture() -> None:
    found = observe.rgb(VIEW, Cleanup.things)
    assert found.shape == (2, 2, 3)
    assert found.dtype == np.uint8
    drawn = [[f"#{bytes(pixel).hex()}" for pixel in row] for row in np.asarray(found)]
    assert drawn == [[FILLS["wall"][0], FILLS["apple"][0]], ["#2764ae", "#d1571b"]]  # players hide what lies below them


@pytest.mark.parametrize("name", GRIDS)
def test_no_two_things_and_no_two_players_look_alike(name: str) -> None:
    things = find.find("games", name).things
    codes = [*range(len(things)), *(16 * (seat + 1) for seat in range(15))]
    pixels = np.asarray(observe.rgb(np.array(codes, np.uint8), things))
    assert len({tuple(pixel) for pixel in pixels.tolist()}) == len(codes)
    assert pixels[0].tolist() == [0, 0, 0]  # nothing is seen


def test_a_vector_is_all_numbers_in_a_row() -> None:
    class Seen(NamedTuple):
        stock: Any
        fined: Any
        deed: Any

    seen = Seen(np.array([7, 7]), np.array([[0, 2], [1, 0]]), np.array([np.nan, 0.5]))
    assert observe.flat((seen, np.array([True, False]))).tolist() == [[7, 0, 2, -1, 1], [7, 1, 0, 0.5, 0]]


def test_the_vector_of_a_map_is_what_is_seen_besides_it() -> None:
    game = Cleanup(seats=3)
    state = game.start(seeds.root(0))
    seen = game.look(state)
    assert (observe.view(game, state) == seen.view).all()
    assert observe.vector(game, state).shape[1] == sum(leaf.size // 3 for leaf in jax.tree.leaves(seen)) - 11 * 11
    assert (observe.vector(game, state)[:, :5] == np.column_stack([seen.clock, seen.seat, seen.at, seen.facing])).all()
