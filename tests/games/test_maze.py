"""The split maze, played out by hand, drawn many times, and held against closed forms."""

import math
from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from played import match, numpy, start, step

from commonage import Study, seeds
from commonage.errors import SpecError
from commonage.games.maze import Maze, State
from commonage.grid.maze import HIDDEN, WAIT, distances
from commonage.learn.score import score
from commonage.policies.navigator import Navigator
from commonage.policies.random import Random
from commonage.verify import maze as closed

N, E, S, W = range(4)
COUNT = 2000
KEYS = np.stack([seeds.root(i) for i in range(COUNT)])

# a way of 4: east, east, south, west
MAP = ["S . .", "# # .", "# G ."]
SHORT = Maze(size=3, least=4, most=4, rounds=8)


def on(game, rows=MAP):
    """The state before the first round on a map of ours; the first sees the cells of even number."""
    signs = np.array([row.split() for row in rows])
    walls, cells = jnp.array(signs == "#"), signs.ravel().tolist()
    begin, goal = jnp.int32(cells.index("S")), jnp.int32(cells.index("G"))
    owner = jnp.array([-1 if sign in "SG" else i % 2 for i, sign in enumerate(cells)], jnp.int32).reshape(signs.shape)
    left = distances(walls, goal, signs.size)
    return numpy(start(game))._replace(walls=walls, owner=owner, left=left, start=begin, goal=goal, place=begin)


def walk(game, state, *rows):
    out = []
    for row in rows:
        out.append(numpy(step(game, state, jnp.array(row, jnp.int32))))
        state = out[-1].state
    return out


def test_a_match_by_hand():
    """Apart, nothing; into a wall, nothing, but counted; the goal is a point for each and the end."""
    turns = walk(SHORT, on(SHORT), [E, S], [S, S], [WAIT, WAIT], [E, E], [E, E], [S, S], [S, S], [W, W])
    facts = [numpy(SHORT.facts(turn.state)) for turn in turns]
    assert [int(turn.state.place) for turn in turns] == [0, 0, 0, 1, 2, 5, 8, 7]
    assert [int(fact["agreed"]) for fact in facts] == [0, 1, -1, 1, 1, 1, 1, 1]
    assert [int(fact["bumped"]) for fact in facts] == [0, 1, 0, 0, 0, 0, 0, 0]
    assert [int(fact["left"]) for fact in facts] == [5, 5, 5, 4, 3, 2, 1, 0]
    assert int(facts[-1]["taken"]) == int(facts[0]["shortest"]) == 5
    assert [turn.rewards.tolist() for turn in turns] == [[0, 0]] * 7 + [[1, 1]]
    assert [bool(turn.truncated) for turn in turns] == [False] * 7 + [True]


def test_the_edge_is_a_wall_and_the_rounds_end():
    turns = walk(SHORT, on(SHORT), *[[N, N]] * 8)
    assert [int(turn.state.place) for turn in turns] == [0] * 8
    assert all(turn.state.bumped for turn in turns)
    assert [bool(turn.truncated) for turn in turns] == [False] * 7 + [True]


def test_in_turn_the_second_hears_the_first():
    game = Maze(size=3, least=4, most=4, rounds=8, order="turn")
    first, second, third = walk(game, on(game), [E, -1], [-1, E], [S, -1])
    assert "In this round the other named east." in game.tell(first.state, 1)
    assert "In this round you named east." in game.tell(first.state, 0)
    assert [bool(turn.round_over) for turn in (first, second, third)] == [False, True, False]
    assert (int(first.state.place), int(second.state.place)) == (0, 1)
    assert [numpy(game.ask(turn.state)).which.tolist() for turn in (first, second)] == [[-1, 0], [0, -1]]


def test_one_alone_with_both_copies():
    game = Maze(size=3, least=4, most=4, rounds=8, seats=1, views="copies")
    state = on(game)
    assert game.tell(state, 0).split("\n")[1:] == [
        "  1 2 3", "1 S ? .", "2 ? # ?", "3 # G .",
        "  1 2 3", "1 S . ?", "2 # ? .", "3 ? G ?",
    ]  # fmt: skip
    assert int(walk(game, state, [E])[0].state.place) == 1


@pytest.mark.parametrize("seat", [0, 1])
def test_words_show_what_the_sight_shows(seat):
    state = start(Maze())
    signs = [line.split()[1:] for line in Maze().tell(state, seat).split("\n")[2:]]
    seen = np.array([[{"?": 2, "#": 1}.get(sign, 0) for sign in row] for row in signs])
    np.testing.assert_array_equal(seen, Maze().look(state).grid[seat])


def drawn(game=None):
    return jax.tree.map(np.asarray, jax.jit(jax.vmap((game or Maze()).start))(jnp.asarray(KEYS)))


def test_maps_are_drawn_as_they_say():
    """30 % of 36 cells are 11 walls, anywhere; the way is 7 to 9; each cell but two is on one copy, 17 on each."""
    found = drawn()
    shortest = found.left.reshape(COUNT, -1)[np.arange(COUNT), found.start]
    assert set(shortest.tolist()) == {7, 8, 9}
    assert (found.walls.sum((1, 2)) == 11).all()
    assert [(found.owner == copy).sum((1, 2)).tolist() for copy in (0, 1, -1)] == [[17] * COUNT, [17] * COUNT, [2] * COUNT]
    grids = np.asarray(jax.vmap(Maze().look)(State(*found)).grid)
    assert ((grids[:, 0] == HIDDEN) & (grids[:, 1] == HIDDEN)).sum() == 0
    rate = found.walls.mean(0)
    np.testing.assert_allclose(rate, rate[::-1, :], atol=4 * math.sqrt(2 * 0.25 / COUNT))  # mirrored maps are as likely
    np.testing.assert_allclose(rate, rate.T, atol=4 * math.sqrt(2 * 0.25 / COUNT))


def test_path_lengths_are_as_frequent_as_in_maps_drawn_by_another():
    """Rejection in plain Python, another generator: the shares of 7, 8 and 9 agree within 4 standard errors of both."""
    rng, lengths = np.random.default_rng(1), list[int]()
    while len(lengths) < 1000:
        cells = rng.permutation(36)
        walls = np.zeros(36, bool)
        walls[cells[:11]] = True
        way = searched(walls.reshape(6, 6), cells[12])[divmod(int(cells[11]), 6)]
        lengths += [way] * int(7 <= way <= 9)
    found = drawn()
    shortest = found.left.reshape(COUNT, -1)[np.arange(COUNT), found.start]
    for length in (7, 8, 9):
        assert abs((shortest == length).mean() - lengths.count(length) / 1000) < 4 * math.sqrt(0.25 / 1000 + 0.25 / COUNT)


def searched(walls, goal):
    """Breadth first, with a queue."""
    left, queue = np.full(walls.shape, 36), deque([divmod(int(goal), 6)])
    left[queue[0]] = 0
    while queue:
        r, c = queue.popleft()
        for to in ((r - 1, c), (r, c + 1), (r + 1, c), (r, c - 1)):
            if 0 <= to[0] < 6 and 0 <= to[1] < 6 and not walls[to] and left[to] == 36:
                left[to] = left[r, c] + 1
                queue.append(to)
    return left


def test_distances_are_those_of_a_queue():
    found = drawn()
    for i in range(200):
        np.testing.assert_array_equal(found.left[i], searched(found.walls[i], found.goal[i]))


# pairs


def arrive(game, *players):
    return score(game, [(player,) for player in players], np.tile(np.arange(len(players)), (COUNT, 1)), KEYS).rewards[:, 0] > 0


def test_pairs_that_tell_all_arrive_always_and_by_a_shortest_path(tmp_path):
    result = Study.preset("collaboration_gap", ["told"], repeats=20).run(tmp_path / "run")
    (arm,) = result.summary()["arms"]
    assert {name: arm["measures"][name]["mean"] for name in ("success", "path_optimality", "agreement_rate")} == {
        "success": 1, "path_optimality": 1, "agreement_rate": 1,
    }  # fmt: skip
    assert closed.told() == 1
    assert arm["measures"]["messages"]["mean"] >= 24, "twelve strips from each"


def test_silent_pairs_that_play_at_random_arrive_as_the_absorbing_chain_says():
    """Both name one of five at random: each way is agreed on with probability (1/5)^2, so the walker is a lazy random walk.

    P moves with 1/25 to each free neighbour, stays otherwise, and stays at the goal: the chance to arrive within T
    rounds is (e_start P^T)[goal], exact for every map; its mean over the maps is the floor.
    """
    found, game = drawn(Maze(rounds=200)), Maze(rounds=200, views="whole")
    floor = np.array([chance(found.walls[i], found.start[i], found.goal[i], 200) for i in range(COUNT)])
    error = math.sqrt((floor * (1 - floor)).sum()) / COUNT
    rate = arrive(game, Random(), Random()).mean()
    assert 0.02 < floor.mean() < 0.5
    assert abs(rate - floor.mean()) < 4 * error


def chance(walls, begin, goal, rounds, agreed=1 / 25):
    chain = np.eye(36)
    for cell in np.flatnonzero(~walls.ravel()):
        r, c = divmod(int(cell), 6)
        for to in ((r - 1, c), (r, c + 1), (r + 1, c), (r, c - 1)):
            if cell != goal and 0 <= to[0] < 6 and 0 <= to[1] < 6 and not walls[to]:
                chain[cell, to[0] * 6 + to[1]] += agreed
                chain[cell, cell] -= agreed
    return np.linalg.matrix_power(chain, rounds)[begin, goal]


def tail(rounds, p, least):
    return sum(math.comb(rounds, k) * p**k * (1 - p) ** (rounds - k) for k in range(least, rounds + 1))


@pytest.mark.slow
@pytest.mark.parametrize("check", closed.checks()[:3], ids=lambda check: check.quantity)
def test_the_rates_in_verify_are_binomial_tails(check):
    """One of the pair never slips, so that a step is only ever taken forwards: 8 of 12 rounds must be agreed."""
    p = {"maze, in turn, the exact one first, 1/2 trusted": 0.5 + 0.5 * 0.5}.get(check.quantity, 0.5)
    assert check.expected == pytest.approx(tail(12, p, 8), abs=1e-6)
    assert check.ours() == pytest.approx(check.expected, abs=check.tolerance)


@pytest.mark.slow
def test_more_skill_arrives_more_often():
    game = Maze(rounds=15, views="whole")
    rates = [arrive(game, Navigator(skill=skill), Navigator(skill=skill)).mean() for skill in (0.5, 0.7, 0.9, 1)]
    assert rates == sorted(set(rates))
    assert rates[-1] == 1


@pytest.mark.slow
def test_who_begins_matters():
    """A right step: strong first 0.9 (0.8 + 0.2 x 0.4) = 0.79, weak first 0.4 (0.8 + 0.2 x 0.9) = 0.39."""
    game, strong, weak = Maze(rounds=15, views="whole", order="turn"), Navigator(skill=0.9, trust=0.8), Navigator(skill=0.4, trust=0.8)
    assert arrive(game, strong, weak).mean() > arrive(game, weak, strong).mean() + 0.3


@pytest.mark.slow
def test_a_hidden_map_costs_silent_pairs_what_it_does_not_cost_one_with_both_copies():
    alone = arrive(Maze(seats=1, views="copies"), Navigator())
    assert alone.all()
    assert arrive(Maze(), Navigator(), Navigator()).mean() < 0.5


def test_a_match_stands_still_after_the_goal():
    steps = match(Maze(views="whole"), Navigator(), Navigator())
    assert steps.rewards.sum(0).tolist() == [1, 1]


@pytest.mark.parametrize(
    "bad",
    [{"seats": 3}, {"seats": 1}, {"most": 11}, {"least": 10}, {"size": 9}, {"views": "half"}, {"order": "floor"}, {"rounds": 0}],
)
def test_bad_input(bad):
    with pytest.raises(SpecError, match="must be"):
        Maze(**bad)
