"""Commons Harvest, played out; rows and columns are counted from 0.

A patch of the open map is a diamond of 13 apples with its middle at (3, 8); its tips are (1, 8), (3, 6), (3, 10), (5, 8).
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from boards import alike, apples, board, gains, often, played, rolled
from hypothesis import given, settings
from hypothesis import strategies as st
from played import ask, look, start

from commonage import seeds, spec
from commonage.errors import SpecError
from commonage.game import numpy
from commonage.games.harvest import Harvest, fastest
from commonage.grid.orchard import APPLE, around, around_in_view
from commonage.learn import rollout

GAME, PAIR = Harvest(), Harvest(seats=2)
DIAMOND = [(row, column) for row in range(1, 6) for column in range(6, 11) if abs(row - 3) + abs(column - 8) <= 2]
FAR = (12, 12, "N")  # where nothing grows
grow = jax.jit(jax.vmap(Harvest.grow, (None, 0, None)))


def bare(game):
    """The apple cells, row by row."""
    return np.argwhere(game.ground.kinds["apple"].reshape(game.ground.height, game.ground.width))


# the map and the start


@pytest.mark.parametrize("name", ["harvest_open", "harvest_closed"])
def test_maps(name):
    ground = Harvest(map=name).ground
    kinds = {kind: int(mask.sum()) for kind, mask in ground.kinds.items()}
    assert (ground.height, ground.width, kinds["apple"], kinds["spawn"], kinds["spawn_inside"]) == (18, 24, 64, 60, 2)
    assert (start(Harvest(map=name)).cells[ground.kinds["apple"]] == APPLE).all()


def test_any_two_seats_start_inside_and_the_others_at_the_edge():
    """3,000 starts: 2/7 of them for each seat, and no two on one cell."""
    bodies = jax.vmap(lambda key: GAME.start(key).body)(seeds.fold(seeds.root(3), jnp.arange(3000)))
    at = np.asarray(bodies.at)
    inside = np.isin(at, np.flatnonzero(GAME.ground.kinds["spawn_inside"]))
    assert (inside.sum(1) == 2).all()
    assert (inside | GAME.ground.kinds["spawn"][at]).all()
    assert all(len(set(row)) == 7 for row in at.tolist())
    assert (abs(inside.sum(0) - 3000 * 2 / 7) < 4 * np.sqrt(3000 * 2 / 7 * 5 / 7)).all()
    assert set(bodies.facing.ravel().tolist()) == {0, 1, 2, 3}


# how apples grow


def counted(mask):
    """The neighbours by distance, one pair of cells at a time."""
    spots = np.argwhere(mask)
    return np.array(
        [[sum(0 < (r - y) ** 2 + (c - x) ** 2 <= 4 for r, c in spots) for x in range(mask.shape[1])] for y in range(mask.shape[0])]
    )


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_neighbours_are_those_within_distance_two(seed, share):
    rng = np.random.default_rng(seed)
    view = rng.random((11, 11)) < share
    np.testing.assert_array_equal(jax.jit(around_in_view)(view), counted(view))
    field = GAME.ground.kinds["apple"].reshape(18, 24) & (rng.random((18, 24)) < share)
    found = np.asarray(jax.jit(around, static_argnums=1)(field.ravel(), 24)).reshape(18, 24)
    np.testing.assert_array_equal(found[:, 1:-1], counted(field)[:, 1:-1])  # nothing lies in the walls


@pytest.mark.parametrize("near", range(6))
def test_growth_by_the_number_of_apples_near(near):
    """One apple cell of a diamond, its middle, with so many of its neighbours: 60,000 draws, within four standard deviations."""
    chance = (0, 0.0025, 0.005, 0.025, 0.025, 0.025)[near]
    cells = board(GAME, [FAR] * 7, [spot for spot in DIAMOND if spot != (3, 8)][:near])
    grown = np.asarray(grow(GAME, seeds.fold(seeds.root(near), jnp.arange(60_000)), cells))[:, 3 * 24 + 8] == APPLE
    assert abs(grown.sum() - 60_000 * chance) <= 4 * np.sqrt(60_000 * chance * (1 - chance))


def test_growth_everywhere_is_what_the_table_says():
    """A random half of all apples, 4,000 steps from there: every bare cell by its own count, and no other cell."""
    spots = bare(GAME)
    half = spots[np.random.default_rng(1).permutation(64)[:32]]
    state = board(GAME, [FAR] * 7, [tuple(spot) for spot in half.tolist()])
    there = (state.cells == APPLE).reshape(18, 24)
    grown = (np.asarray(grow(GAME, seeds.fold(seeds.root(9), jnp.arange(4000)), state)) == APPLE).reshape(-1, 18, 24)
    chance = np.array([0, 0.0025, 0.005, 0.025])[np.minimum(counted(there), 3)] * GAME.ground.kinds["apple"].reshape(18, 24) * ~there
    assert grown[:, there].all()
    assert (abs(grown.sum(0) - 4000 * chance)[~there] <= 4.5 * np.sqrt(4000 * chance * (1 - chance))[~there]).all()
    assert set(np.unique(chance)) == {0, 0.0025, 0.005, 0.025}


def test_a_patch_that_was_eaten_bare_never_comes_back():
    """Beside five that are full: 3,000 steps."""
    others = [tuple(spot) for spot in bare(GAME).tolist() if tuple(spot) not in DIAMOND]
    first = board(GAME, [FAR] * 7, others)

    def body(state, key):
        return state._replace(cells=GAME.grow(key, state)), (state.cells == APPLE).sum()

    last, count = jax.lax.scan(body, jax.tree.map(jnp.asarray, first), seeds.fold(seeds.root(4), jnp.arange(3000)))
    assert not apples(GAME, numpy(last)) & set(DIAMOND)
    assert (np.asarray(count) == 51).all()


def test_an_apple_grows_after_the_moves_and_under_a_player_too():
    """With growth sure wherever one is near: who stands there eats it in the next step."""
    game = Harvest(seats=2, growth=(0, 1))
    first, second, third = played(game, board(game, [(3, 8, "N"), FAR], [(3, 8), (3, 7)]), "stay, stay", "stay, stay", "forward, stay")
    assert [turn.rewards[0] for turn in (first, second, third)] == [1, 1, 1]
    assert (3, 8) in apples(game, first.state), "it has grown again, under the player, in the same step"
    assert apples(game, second.state) == set(DIAMOND)


def test_growth_of_ones_own():
    game = Harvest(seats=2, growth=(1,))
    assert len(apples(game, played(game, board(game, [FAR, (13, 12, "N")], []), "stay, stay")[0].state)) == 64
    never = Harvest(seats=2, growth=(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))
    state = board(never, [FAR, (13, 12, "N")], [spot for spot in DIAMOND if spot != (3, 8)])
    assert apples(never, played(never, state, "stay, stay")[0].state) == set(DIAMOND), "all twelve hang around the middle"


# eating, and its deeds


def test_eating():
    (turn,) = played(PAIR, board(PAIR, [(6, 8, "N"), (12, 12, "N")], DIAMOND), "forward, stay")
    assert turn.rewards.tolist() == [1, 0]
    assert (5, 8) not in apples(PAIR, turn.state)
    facts = PAIR.facts(turn.state)
    assert (int(facts["apples"]), facts["ate"].tolist()) == (12, [1, 0])


def test_of_two_who_want_an_apple_either_gets_it():
    turn = often(PAIR, board(PAIR, [(6, 8, "N"), (4, 8, "S")], [(5, 8)]), ["forward", "forward"], 2000)
    assert (turn.rewards.sum(1) == 1).all()
    assert abs(turn.rewards[:, 0].sum() - 1000) < 4 * np.sqrt(500)


def test_a_deed_is_zero_for_the_last_apple_of_a_patch():
    game = Harvest(seats=3, round_steps=2)
    state = board(game, [(6, 8, "N"), (2, 14, "E"), FAR], [(5, 8), (2, 15), (2, 16)])
    first, second = played(game, state, "forward, forward, stay", "stay, back, stay")
    assert first.rewards.tolist() == [1, 1, 0]
    assert np.isnan(first.deeds).all(), "the round is not over"
    np.testing.assert_array_equal(second.deeds, [0, 1, np.nan])
    after = played(game, second.state, "stay, forward, stay", "stay, forward, stay")[-1]
    np.testing.assert_array_equal(after.deeds, [np.nan, 0, np.nan], "counted anew in each round; the last of three was the last")


def test_two_who_eat_the_last_two_at_once_both_took_the_last():
    game = Harvest(seats=2, round_steps=1)
    (turn,) = played(game, board(game, [(2, 7, "S"), (2, 9, "S")], [(3, 7), (3, 9)]), "forward, forward")
    assert turn.deeds.tolist() == [0, 0]
    (turn,) = played(game, board(game, [(2, 7, "S"), (2, 9, "S")], [(3, 7), (3, 9), (4, 8)]), "forward, forward")
    assert turn.deeds.tolist() == [1, 1], "one hangs between them"


# zaps


def test_a_zap_sends_away_for_four_steps():
    state, out, which = board(PAIR, [(12, 10, "E"), FAR]), [], []
    for row in ("zap, stay", *["stay, -"] * 4, "stay, stay"):
        (turn,) = played(PAIR, state, row)
        state = turn.state
        out.append(int(state.body.out[1]))
        which.append(int(ask(PAIR, state).which[1]))
    assert out == [4, 3, 2, 1, 0, 0]
    assert which == [-1, -1, -1, -1, 0, 0]
    assert PAIR.ground.kinds["spawn"][state.body.at[1]], "and not inside"


def test_it_zaps_again_after_two_steps():
    waits = [int(turn.state.own.wait[0, 0]) for turn in played(PAIR, board(PAIR, [(12, 2, "E"), FAR]), *["zap, stay"] * 5)]
    assert waits == [2, 1, 0, 2, 1]


# floors and ceilings


def test_the_most_that_can_grow():
    """A diamond at its best keeps five, and 0.025 grows on each of the other eight; a corner keeps three: 4 x 0.2 + 2 x 0.055."""
    assert fastest("harvest_open", GAME.growth) == pytest.approx(0.91)
    assert fastest("harvest_closed", GAME.growth) == pytest.approx(0.91)
    assert fastest("harvest_open", (0.1,)) == pytest.approx(6.4)
    kept = board(GAME, [FAR] * 7, [(2, 7), (2, 9), (3, 8), (4, 7), (4, 9)])
    assert (counted((kept.cells == APPLE).reshape(18, 24))[tuple(np.array(DIAMOND).T)] >= 3).sum() == 13
    assert GAME.yardsticks() == {"welfare": 974}
    assert Harvest(seats=2, rounds=1, round_steps=10).yardsticks() == {"welfare": 20}, "two mouths"


def test_no_state_of_a_small_patch_lets_more_grow():
    """The corner of six, all 64 states, in plain Python."""
    corner = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1)]
    best = 0.0
    for kept in itertools.product([False, True], repeat=6):
        there = [spot for spot, yes in zip(corner, kept, strict=True) if yes]
        near = lambda spot, there=there: sum((spot[0] - r) ** 2 + (spot[1] - c) ** 2 <= 4 for r, c in there)
        best = max(best, sum((0, 0.0025, 0.005, 0.025)[min(near(spot), 3)] for spot in corner if spot not in there))
    assert best == pytest.approx((0.91 - 4 * 0.2) / 2)


def test_oracles():
    named = {(oracle.measure, oracle.side): oracle.value for oracle in GAME.oracles()}
    assert named["welfare_sum", "ceiling"] == 7000
    assert named["welfare_sum", "reference"] == 974
    assert named["gain", "floor"] == 0
    costly = {(oracle.measure, oracle.side): oracle.value for oracle in Harvest(zap_cost=1, zapped_cost=2, rounds=1).oracles()}
    assert costly["gain", "floor"] == -50 * (1 + 6 * 2)


# players


@pytest.mark.slow
def test_greedy_players_eat_it_bare_and_keepers_do_not():
    greedy = rolled("harvest(rounds=6)", "nearest_apple*7", 4)
    assert (greedy.facts["apples"][-1] == 0).all()
    assert (greedy.rewards.sum((0, 2)) < 90).all()
    kept = rolled("harvest(rounds=6)", "patch_keeper*7", 4)
    assert (kept.facts["apples"][-1] > 20).all()
    assert (kept.rewards.sum((0, 2)) > 150).all()
    assert np.nanmin(kept.deeds) == 1, "it never takes the last"


@pytest.mark.proof
def test_scores_of_the_scripted_players():
    """20 matches of 1,000 steps each: apples a step, all seats together."""
    scores = {seats: gains("harvest", seats, 20).sum(1).mean() / 1000 for seats in ("nearest_apple", "random", "patch_keeper")}
    assert scores["nearest_apple"] < 0.08
    assert 0.1 < scores["random"] < 0.2
    assert 0.55 < scores["patch_keeper"] < 0.974
    assert gains("harvest", "patch_keeper*6,nearest_apple", 20).sum(1).mean() / 1000 < 0.15, "one is enough to end it"


@pytest.mark.slow
def test_no_seat_has_an_advantage():
    """A greedy player among keepers in every seat in turn, 30 matches each: it gets the same, within four standard errors."""
    table, players = Harvest(rounds=2), [spec.policies(seat) for seat in spec.seats("patch_keeper,nearest_apple")]
    place = np.repeat(np.arange(7), 30)
    keys = np.stack([np.asarray(seeds.root(100 + i)) for i in range(len(place))])
    steps = rollout.play(table, rollout.seat(players, (np.arange(7) == place[:, None]).astype(int)), keys)
    own = steps.rewards.sum(0)[np.arange(len(place)), place].reshape(7, 30)
    assert own.mean() > 10
    assert (abs(own.mean(1) - own.mean()) < 4 * own.std(ddof=1) / np.sqrt(30)).all()


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [1, 20])
def test_both_runners_play_alike(rounds, tmp_path):
    alike(tmp_path, f"harvest(rounds={rounds})", "patch_keeper*3,nearest_apple*2,random*2")


# words


def test_rules():
    assert GAME.rules(0) == (
        "7 players walk on a map of 18 rows and 24 columns, all at the same time. A step forward, back, left or right is one cell as you "
        "face; a turn takes a step of its own. Two never stand on one cell; where two want the same, chance decides. You see 9 cells "
        "ahead, 1 behind and 5 to each side. There are 20 rounds of 50 steps. Two of them, drawn by lot, start near the apples. Whoever "
        "stands on an apple eats it and gets 1 point. At the start there are 64 apples, and they grow only where those lie. Where one was "
        "eaten, another grows in a step with a probability that depends on how many apples lie at most two steps away: 0 with 0, 0.0025 "
        "with 1, 0.005 with 2, 0.025 with 3 or more. A zap goes 3 cells ahead, 3 wide, and stops at a wall or at the first player in each "
        "line; a hit sends a player away for 4 steps, after which it comes back somewhere else. You can zap again after 2 steps."
    )


def test_words_say_what_the_sight_shows():
    (turn,) = played(PAIR, board(PAIR, [(6, 8, "N"), (6, 10, "W")], DIAMOND), "forward, stay")
    assert PAIR.tell(turn.state, 0) == (
        "Round 1 of 20, step 2 of 50. You stand at row 6, column 9, and face north. Next to you: ahead apple, behind floor, left floor, "
        "right floor. Apple (12): 1 ahead; 1 ahead 1 left; 1 ahead 1 right; 2 ahead; 2 ahead 1 left; 7 more further away. Player 2: 1 "
        "behind 2 right, facing west. You ate an apple in the last step."
    )
    assert look(PAIR, turn.state).own.ate.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"map": "cleanup"}, "map must be harvest_open or harvest_closed"),
        ({"growth": ()}, "growth must be between 1 and 13 numbers"),
        ({"growth": (0.0,) * 14}, "growth must be between 1 and 13 numbers"),
        ({"growth": (0.0, 1.5)}, "growth must be probabilities between 0 and 1"),
        ({"seats": 16}, "seats must be between 2 and 15"),
    ],
)
def test_wrong_parameters(fields, says):
    with pytest.raises(SpecError, match=says):
        Harvest(**fields)
