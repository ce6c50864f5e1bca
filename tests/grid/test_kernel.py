"""Walking, beams, windows and coming back, on a small field with a wall around."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonage import seeds
from commonage.grid import kernel, maps
from commonage.grid.kernel import BACK, FORWARD, LEFT, NOOP, RIGHT, TURN_LEFT, TURN_RIGHT, Body

NORTH, EAST, SOUTH, WEST = range(4)
WIDE = 7
WALLS = np.pad(np.zeros((5, WIDE - 2), bool), 1, constant_values=True).ravel()
FIELD = maps.Map(7, WIDE, {"wall": WALLS})
KEY = seeds.root(1)


def cell(row: int, column: int) -> int:
    return row * WIDE + column


def body(*players: tuple[int, int, int]) -> Body:
    """Players by row, column, facing."""
    at = jnp.array([cell(row, column) for row, column, _ in players], jnp.int32)
    return Body(at, jnp.array([facing for *_, facing in players], jnp.int32), jnp.zeros(len(players), jnp.int32))


def walk(players: Body, *moves: int, key: jax.Array = KEY, overlap: bool = False) -> list[tuple[int, int, int]]:
    after = kernel.walk(key, players, jnp.array(moves, jnp.int32), FIELD, overlap)
    return [(*divmod(at, WIDE), facing) for at, facing in zip(after.at.tolist(), after.facing.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("facing", "ends"),
    [
        (NORTH, {FORWARD: (2, 3), BACK: (4, 3), LEFT: (3, 2), RIGHT: (3, 4)}),
        (EAST, {FORWARD: (3, 4), BACK: (3, 2), LEFT: (2, 3), RIGHT: (4, 3)}),
        (SOUTH, {FORWARD: (4, 3), BACK: (2, 3), LEFT: (3, 4), RIGHT: (3, 2)}),
        (WEST, {FORWARD: (3, 2), BACK: (3, 4), LEFT: (4, 3), RIGHT: (2, 3)}),
    ],
)
def test_a_step_goes_as_one_faces(facing: int, ends: dict[int, tuple[int, int]]) -> None:
    for move, end in ends.items():
        assert walk(body((3, 3, facing)), move) == [(*end, facing)]
    assert walk(body((3, 3, facing)), NOOP) == [(3, 3, facing)]
    assert walk(body((3, 3, facing)), TURN_RIGHT) == [(3, 3, (facing + 1) % 4)]
    assert walk(body((3, 3, facing)), TURN_LEFT) == [(3, 3, (facing - 1) % 4)]
    assert walk(body((3, 3, facing)), -1) == [(3, 3, facing)], "a seat that was not asked stays"


def test_a_wall_stops_a_step() -> None:
    assert walk(body((1, 1, NORTH)), FORWARD) == [(1, 1, NORTH)]
    assert walk(body((1, 1, NORTH)), LEFT) == [(1, 1, NORTH)]


def test_of_two_who_want_one_cell_either_has_it() -> None:
    tried = [walk(body((3, 2, EAST), (3, 4, WEST)), FORWARD, FORWARD, key=seeds.root(i)) for i in range(400)]
    first = sum(pair[0][:2] == (3, 3) for pair in tried)
    assert all((pair[0][:2] == (3, 3)) + (pair[1][:2] == (3, 3)) == 1 for pair in tried)
    assert 160 < first < 240  # 200 expected, 10 the standard deviation


def test_two_do_not_change_places_and_one_may_follow_another() -> None:
    for i in range(20):
        assert walk(body((3, 3, EAST), (3, 4, WEST)), FORWARD, FORWARD, key=seeds.root(i)) == [(3, 3, EAST), (3, 4, WEST)]
    ends = {tuple(row[1] for row in walk(body((3, 2, EAST), (3, 3, EAST)), FORWARD, FORWARD, key=seeds.root(i))) for i in range(40)}
    assert ends == {(3, 4), (2, 4)}  # behind whoever moved first, or left standing


def test_who_is_out_is_in_nobodys_way() -> None:
    players = body((3, 3, EAST), (3, 4, WEST))._replace(out=jnp.array([0, 5], jnp.int32))
    assert walk(players, FORWARD, -1)[0] == (3, 4, EAST)


def test_players_that_may_overlap_pass_through_each_other() -> None:
    assert walk(body((3, 3, EAST), (3, 4, WEST)), FORWARD, FORWARD, overlap=True) == [(3, 4, EAST), (3, 3, WEST)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.lists(st.integers(-1, 8), min_size=6, max_size=6))
def test_no_two_ever_share_a_cell(seed: int, moves: list[int]) -> None:
    crowd = body(*[(2 + i // 3, 2 + i % 3, (seed + i) % 4) for i in range(6)])
    after = walk(crowd, *moves, key=seeds.root(seed))
    assert len({row[:2] for row in after}) == 6
    assert not any(WALLS[cell(*row[:2])] for row in after)


def beam(stops: list[tuple[int, int]], player: tuple[int, int, int], length: int = 3, radius: int = 1) -> list[tuple[int, int] | None]:
    mask = jnp.zeros(len(WALLS), bool).at[jnp.array([cell(*spot) for spot in stops], int)].set(True)
    spots = kernel.beam(mask, body(player), reach(length, radius), WIDE)[0].tolist()
    return [divmod(spot, WIDE) if spot < len(WALLS) else None for spot in spots]


def reach(length: int, radius: int) -> np.ndarray:
    return maps.reach_of(FIELD, length, radius)


def test_each_line_of_a_beam_ends_at_the_first_that_stops_it() -> None:
    """It looks north from (4, 3): the middle line is (3..1, 3), the lines beside it (4..2, 2) and (4..2, 4)."""
    assert beam([(3, 3), (2, 3), (2, 2), (4, 4), (3, 4)], (4, 3, NORTH)) == [(2, 2), (3, 3), (4, 4)]
    assert beam([(1, 2), (1, 4), (4, 3), (5, 3)], (4, 3, NORTH)) == [None, None, None], "out of reach, or under the player, or behind"
    assert beam([(4, 5)], (4, 3, EAST)) == [None, (4, 5), None]
    assert beam([(5, 4), (3, 4)], (4, 3, EAST)) == [(3, 4), None, (5, 4)]


def test_a_wall_stops_a_beam() -> None:
    assert beam([(1, 3)], (1, 3, SOUTH)) == [None, None, None]
    assert reach(3, 1)[NORTH, cell(2, 1)].tolist() == [0, 1, 2], "a wall beside it, one cell ahead, two at the right"


def test_a_side_line_that_is_blocked_at_once_blocks_those_further_out() -> None:
    assert reach(3, 2)[NORTH, cell(3, 1)].tolist() == [0, 0, 2, 3, 2]
    assert reach(3, 2)[NORTH, cell(3, 2)].tolist() == [0, 3, 2, 3, 2]


def test_a_beam_through_everything_hits_all_in_its_square() -> None:
    mask = jnp.zeros(len(WALLS), bool).at[jnp.array([cell(3, 3), cell(2, 3), cell(2, 2), cell(4, 4), cell(1, 4)])].set(True)
    spots = kernel.square(mask, body((4, 3, NORTH)), FIELD, 3, 1)[0]
    assert sorted(divmod(spot, WIDE) for spot in spots.tolist() if spot < len(WALLS)) == [(1, 4), (2, 2), (2, 3), (3, 3)]
    assert (kernel.square(mask, body((1, 1, NORTH)), FIELD, 3, 1) == len(WALLS)).all(), "it ends with the map"


def test_a_window_turns_with_the_player_and_sees_walls_beyond_the_edge() -> None:
    codes = jnp.asarray(np.where(WALLS, kernel.WALL, kernel.FLOOR).astype(np.uint8)).at[cell(2, 4)].set(9)
    for facing, spot in ((NORTH, (1, 2)), (EAST, (1, 0)), (SOUTH, (3, 0)), (WEST, (3, 2))):
        view = kernel.window(codes, body((3, 3, facing)), FIELD, 2, 1, 1)[0]
        assert view.shape == (4, 3)
        assert np.argwhere(np.asarray(view) == 9).tolist() == ([list(spot)] if spot[0] < 4 else [])
    corner = np.asarray(kernel.window(codes, body((1, 1, NORTH)), FIELD, 2, 1, 1)[0])
    assert corner.tolist() == [[2, 2, 2], [2, 2, 2], [2, 1, 1], [2, 1, 1]]


def test_whoever_comes_back_takes_a_free_spot_at_random() -> None:
    spots, players = np.array([cell(1, 1), cell(1, 3), cell(5, 5)]), body((1, 3, NORTH), (3, 3, EAST))
    away = players._replace(out=jnp.array([0, 0], jnp.int32))
    ends = [kernel.come_back(seeds.root(i), away, jnp.array([False, True]), spots) for i in range(300)]
    at = [int(end.at[1]) for end in ends]
    assert set(at) == {cell(1, 1), cell(5, 5)}, "nobody stands there yet"
    assert 115 < at.count(cell(1, 1)) < 185  # 150 expected, 8.7 the standard deviation
    assert {int(end.facing[1]) for end in ends} == {0, 1, 2, 3}
    assert all(int(end.at[0]) == cell(1, 3) for end in ends)


def test_all_come_in_on_different_spots() -> None:
    spots = np.flatnonzero(~WALLS)[:7]
    for i in range(30):
        none = jnp.zeros(7, jnp.int32)
        after = kernel.come_back(seeds.root(i), Body(none, none, none), jnp.ones(7, bool), spots)
        assert sorted(after.at.tolist()) == spots.tolist()
