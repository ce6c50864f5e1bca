"""Ways over drawn maps: `#` wall, `.` open, `*` goal, `%` a goal on a cell that is not open."""

from collections import deque
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonage.grid.kernel import BACK, FORWARD, LEFT, NOOP, RIGHT
from commonage.grid.maps import FACINGS
from commonage.grid.paths import FAR, flood, here, toward

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
    far = np.where(goals, 0, FAR)
    queue = deque(np.argwhere(goals).tolist())
    while queue:
        row, column = queue.popleft()
        for down, right in FACINGS:
            cell = (row + down, column + right)
            if 0 <= cell[0] < far.shape[0] and 0 <= cell[1] < far.shape[1] and open[cell] and far[cell] == FAR:
                far[cell] = far[row, column] + 1
                queue.append(cell)
    return far


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
    far = run(goal, open, 63)
    at, facing = np.argwhere(open)[rng.integers(open.sum())], int(rng.integers(4))
    left = int(far[tuple(at)])
    for _ in range(left if left < FAR else 0):
        move = int(lead(far, at, facing))
        at = at + FACINGS[(facing + {FORWARD: 0, RIGHT: 1, BACK: 2, LEFT: 3}[move]) % 4]
    assert left == FAR or goal[tuple(at)]
    assert int(lead(far, at, facing)) == NOOP


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
    view: np.ndarray
    at: np.ndarray
    facing: int


def test_where_one_stands_in_the_own_view():
    at, facing = np.array([4, 7], np.int32), 3
    inside, whole = (here(Row(np.zeros(shape), at, facing), (9, 1, 5)) for shape in ((11, 11), (21, 30)))
    assert (inside[0].tolist(), int(inside[1])) == ([9, 5], 0)
    assert (whole[0].tolist(), int(whole[1])) == ([4, 7], 3)


def test_it_runs_in_batches():
    goals = np.random.default_rng(0).random((5, 4, 6)) < 0.1
    together = jax.vmap(lambda goal: flood(goal, jnp.ones((4, 6), bool), 9))(goals)
    np.testing.assert_array_equal(together, [run(goal, np.ones((4, 6), bool), 9) for goal in goals])
