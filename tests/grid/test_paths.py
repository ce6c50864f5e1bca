"""Ways over drawn maps: `#` wall, `.` open, `*` goal, `%` a goal on a cell that is not open."""

from collections import deque
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonage import seeds
from commonage.grid import maps
from commonage.grid.kernel import BACK, FORWARD, LEFT, NOOP, RIGHT, TURN_LEFT, TURN_RIGHT, WHO, Body, stand
from commonage.grid.kernel import relative as far
from commonage.grid.kernel import window as turned
from commonage.grid.maps import FACINGS
from commonage.grid.paths import FAR, flood, go, here, matched, relative, roam, seen, toward

KEY = seeds.root(1)

run = jax.jit(flood)
lead = jax.jit(toward)


def drawn(text, steps=99):
    """The distances on a map drawn in words, a row each."""
    cells = np.array([list(row) for row in text.split()])
    return np.asarray(run(np.isin(cells, ["*", "%"]), np.isin(cells, [".", "*"]), steps))


def test_around_a_wall():
    assert drawn("*.. ##. ...").tolist() == [[0, 1, 2], [FAR, FAR, 3], [6, 5, 4]]


def test_the_nearest_of_several():
    assert drawn("*....*").tolist() == [[0, 1, 2, 2, 1, 0]]


def test_no_way_and_no_goal():
    assert drawn("*.#..").tolist() == [[0, 1, FAR, FAR, FAR]]
    assert (drawn("... ...") == FAR).all()


def test_no_further_than_the_steps_go():
    assert drawn("*....", steps=2).tolist() == [[0, 1, 2, FAR, FAR]]


def test_a_goal_need_not_be_open():
    assert drawn(".%. #.#").tolist() == [[1, 0, 1], [FAR, 1, FAR]]
    assert drawn(".%.*").tolist() == [[1, 0, 1, 0]]


def searched(goals, open):
    """The same by a queue, in plain Python."""
    found = np.where(goals, 0, FAR)
    queue = deque(np.argwhere(goals).tolist())
    while queue:
        row, column = queue.popleft()
        for down, right in FACINGS:
            cell = (row + down, column + right)
            if 0 <= cell[0] < found.shape[0] and 0 <= cell[1] < found.shape[1] and open[cell] and found[cell] == FAR:
                found[cell] = found[row, column] + 1
                queue.append([*cell])
    return found


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**32 - 1), walls=st.floats(0, 0.6), goals=st.integers(0, 4))
def test_distances_are_those_of_a_search(seed, walls, goals):
    rng = np.random.default_rng(seed)
    open = rng.random((7, 9)) >= walls
    goal = np.isin(np.arange(63), rng.choice(63, goals, replace=False)).reshape(7, 9)
    np.testing.assert_array_equal(run(goal, open, 63), searched(goal, open))


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_following_it_arrives_in_as_many_steps(seed):
    rng = np.random.default_rng(seed)
    open = rng.random((7, 9)) >= 0.3
    goal = np.arange(63).reshape(7, 9) == rng.integers(63)
    away = run(goal, open, 63)
    at, facing = np.argwhere(open)[rng.integers(open.sum())], int(rng.integers(4))
    left = int(away[tuple(at)])
    for _ in range(left if left < FAR else 0):
        move = int(lead(away, at, facing))
        at = at + FACINGS[(facing + {FORWARD: 0, RIGHT: 1, BACK: 2, LEFT: 3}[move]) % 4]
    assert left == FAR or goal[tuple(at)]
    assert int(lead(away, at, facing)) == NOOP


@pytest.mark.parametrize(
    ("facing", "moves"), [(0, [FORWARD, RIGHT, BACK, LEFT]), (1, [LEFT, FORWARD, RIGHT, BACK]), (2, [BACK, LEFT, FORWARD, RIGHT])]
)
def test_moves_go_as_one_faces(facing, moves):
    """The goal lies north, east, south, west."""
    for (down, right), move in zip(FACINGS, moves, strict=True):
        goal = np.zeros((3, 3), bool)
        goal[1 + down, 1 + right] = True
        assert int(lead(run(goal, np.ones((3, 3), bool), 9), np.array([1, 1]), facing)) == move


def test_of_equal_ways_the_one_ahead():
    for facing in range(4):
        assert int(lead(drawn(".*. *.* .*."), np.array([1, 1]), facing)) == FORWARD


def test_at_the_edge_and_where_oneself_stands_on_no_open_cell():
    assert int(lead(drawn("*.."), np.array([0, 2]), 0)) == LEFT
    assert int(lead(drawn("*.#"), np.array([0, 2]), 0)) == LEFT
    assert int(lead(drawn("*##"), np.array([0, 2]), 0)) == NOOP


class Row(NamedTuple):
    """A seat's own sight, as far as a way depends on it."""

    view: np.ndarray
    at: np.ndarray
    facing: int
    players: np.ndarray = np.zeros((0, 3), np.int32)


def test_where_one_stands_in_the_own_view():
    at, facing = np.array([4, 7], np.int32), 3
    inside, whole = (here(Row(np.zeros(shape), at, facing), (9, 1, 5)) for shape in ((11, 11), (21, 30)))
    assert (inside[0].tolist(), int(inside[1])) == ([9, 5], 0)
    assert (whole[0].tolist(), int(whole[1])) == ([4, 7], 3)


@pytest.mark.parametrize("window", [(9, 1, 5), (15, 0, 10)])
@pytest.mark.parametrize("whole", [False, True])
def test_players_are_seen_where_the_view_shows_them(window, whole):
    """The kernel's own windows and marks: in the view, cell for cell, stands whoever is said to stand there."""
    ground = maps.load("cleanup")
    rng = np.random.default_rng(2)
    at = rng.choice(np.flatnonzero(~ground.walls), 7, replace=False).astype(np.int32)
    body = Body(jnp.array(at), jnp.array(rng.integers(0, 4, 7), jnp.int32), jnp.array([0, 0, 3, 0, 0, 0, 0], jnp.int32))
    cells = stand(jnp.ones(len(ground.walls), jnp.uint8), body)
    found = 0
    for seat in set(range(7)) - {2}:
        view = cells.reshape(ground.height, ground.width) if whole else turned(cells, body, ground, *window)[seat]
        who, (ahead, right) = np.asarray(view) // WHO, (axis[seat] for axis in far(body, ground.width))
        there = np.isin(np.arange(1, 8), who)
        row = np.stack([at // ground.width, at % ground.width, body.facing], 1)
        sight = Row(view, row[seat, :2], body.facing[seat], np.where(there[:, None], row, -1))
        for other, place in enumerate(seen(sight, window).tolist()):
            assert place == (np.argwhere(who == other + 1).tolist() or [[-1, -1]])[0]
            if there[other]:
                assert [int(axis[other]) for axis in relative(sight)] == [int(ahead[other]), int(right[other])]
                found += 1
    assert found > 10


def test_it_goes_where_there_is_a_way_and_roams_where_there_is_none():
    open = np.ones((5, 5), bool)
    open[2, 2] = False  # its own cell
    goal = np.arange(25).reshape(5, 5) == 2 * 5 + 4
    assert int(go(KEY, goal, open, np.array([2, 2]), 0)) == RIGHT
    keys = seeds.fold(KEY, jnp.arange(200))
    lost = jax.vmap(lambda key: go(key, ~open & goal, open, np.array([2, 2]), 0))(keys).tolist()
    assert set(lost) == {FORWARD, TURN_LEFT, TURN_RIGHT}
    assert 165 < lost.count(FORWARD) < 195  # 180 expected, 4.2 the standard deviation


def test_it_turns_to_either_side_before_what_is_barred():
    turns = jax.vmap(lambda key: roam(key, np.zeros((3, 3), bool), np.array([1, 1]), 2))(seeds.fold(KEY, jnp.arange(200))).tolist()
    assert 70 < turns.count(TURN_LEFT) < 130  # 100 expected, 7 the standard deviation
    assert turns.count(TURN_LEFT) + turns.count(TURN_RIGHT) == 200


def test_goals_are_matched_nearest_pair_first():
    """The player in the middle is nearest to both goals; the one at the left gets what is left over, and the third nothing."""
    goals = np.zeros((1, 9), bool)
    goals[0, [5, 8]] = True
    places = np.array([[0, 1], [0, 4], [0, 0], [0, 7]])
    assert matched(goals, places, np.array([True, True, True, False])).tolist() == [[0, 8], [0, 5], [-1, -1], [-1, -1]]


def test_of_equally_near_goals_the_one_that_is_liked_more():
    goals = np.array([[True, False, False, False, True]])
    place, all_ = np.array([[0, 2]]), np.array([True])
    assert matched(goals, place, all_).tolist() == [[0, 0]]
    assert matched(goals, place, all_, np.array([[0, 0, 0, 0, 1]])).tolist() == [[0, 4]]
    assert matched(goals, np.array([[0, 1]]), all_, np.array([[0, 0, 0, 0, 15]])).tolist() == [[0, 0]], "not of a nearer one"


def test_it_runs_in_batches():
    goals = np.random.default_rng(0).random((5, 4, 6)) < 0.1
    together = jax.vmap(lambda goal: flood(goal, jnp.ones((4, 6), bool), 9))(goals)
    np.testing.assert_array_equal(together, [run(goal, np.ones((4, 6), bool), 9) for goal in goals])
