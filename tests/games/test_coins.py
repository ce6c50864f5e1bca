"""The room of coins, played out: cells are (row, column), from the upper left, walls counted."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from played import holds, look, start, step

from commonage import seeds
from commonage.errors import SpecError
from commonage.games.coins import OTHERS, OTHERS_TAKEN, OWN, OWN_TAKEN, Coins, room
from commonage.grid.kernel import BACK, FLOOR, FORWARD, LEFT, NOOP, RIGHT, TURN_LEFT, TURN_RIGHT, WALL, WHO
from commonage.learn import rollout
from commonage.policies.coin_grabber import CoinGrabber
from commonage.policies.coin_matcher import CoinMatcher
from commonage.policies.constant import Constant
from commonage.policies.random import Random
from test_towers import agree

BARE = Coins(height=6, width=6, rounds=2, round_steps=4, growth=0)  # nothing appears
RICH = Coins(height=6, width=8, rounds=4, round_steps=25, growth=0.01)
FIRST, SECOND = OWN, OTHERS  # coins on the map
NORTH, EAST, SOUTH, WEST = range(4)


def placed(*players, coins=(), game=BARE, clock=0):
    """A state: each player is (row, column, facing), each coin (row, column, whose)."""
    world, width = start(game), game.width + 2
    cells = world.cells.copy()
    for row, column, whose in coins:
        cells[row * width + column] = whose
    at, facing = (np.array(list(rows), np.int32) for rows in zip(*[(r * width + c, f) for r, c, f in players], strict=True))
    return world._replace(clock=np.int32(clock), cells=cells, body=world.body._replace(at=at, facing=facing))


def after(state, *moves, game=BARE):
    """The turn after such moves of both."""
    turn = None
    for row in moves:
        turn = jax.device_get(step(game, state, jnp.array(row, jnp.int32)))
        state = turn.state
    return turn


def drawn(ground):
    cells = ground.codes(wall=ord("#"), coin=ord("."), spawn=ord("_")).reshape(ground.height, ground.width)
    return [bytes(row).decode() for row in cells]


def test_the_room():
    """As Melting Pot draws it: players start next but one to the upper right and the lower left corner, where no coins grow."""
    assert drawn(room(5, 7)) == [
        "#########",
        "#.......#",
        "#....._.#",
        "#.......#",
        "#._.....#",
        "#.......#",
        "#########",
    ]
    largest = Coins().ground
    assert (largest.height, largest.width) == (17, 17)
    assert largest.kinds["coin"].sum() == 223
    assert np.flatnonzero(largest.kinds["spawn"]).tolist() == [2 * 17 + 14, 14 * 17 + 2]


def test_a_match_starts_in_an_empty_room():
    states = jax.vmap(BARE.start)(seeds.fold(seeds.root(2), jnp.arange(400)))
    assert not (np.asarray(states.cells) >= OWN).any()
    at, facing = np.asarray(states.body.at), np.asarray(states.body.facing)
    assert set(map(tuple, at.tolist())) == {(2 * 8 + 5, 5 * 8 + 2), (5 * 8 + 2, 2 * 8 + 5)}
    assert abs((at[:, 0] == 2 * 8 + 5).mean() - 1 / 2) < 4 * 0.5 / np.sqrt(400)  # who starts where is drawn
    assert (np.bincount(facing.ravel(), minlength=4) > 800 / 4 - 4 * np.sqrt(800 * 3 / 16)).all()


@pytest.mark.parametrize(
    ("coins", "moves", "rewards", "took"),
    [
        ([(2, 3, FIRST), (5, 3, SECOND)], [FORWARD, FORWARD], [1, 1], [OWN_TAKEN, OWN_TAKEN]),  # each takes its own
        ([(2, 3, SECOND), (5, 3, FIRST)], [FORWARD, FORWARD], [-1, -1], [OTHERS_TAKEN, OTHERS_TAKEN]),  # each takes the other's
        ([(2, 3, SECOND)], [FORWARD, NOOP], [1, -2], [OTHERS_TAKEN, 0]),
        ([(5, 3, FIRST)], [NOOP, FORWARD], [-2, 1], [0, OTHERS_TAKEN]),
        ([(2, 3, FIRST), (5, 3, FIRST)], [FORWARD, FORWARD], [-1, 1], [OWN_TAKEN, OTHERS_TAKEN]),
        ([(2, 2, FIRST)], [NOOP, NOOP], [1, 0], [OWN_TAKEN, 0]),  # who stands there takes what appears
        ([(2, 2, SECOND), (5, 2, SECOND)], [FORWARD, NOOP], [0, 1], [0, OWN_TAKEN]),  # who leaves does not
        ([(2, 3, FIRST)], [TURN_LEFT, NOOP], [0, 0], [0, 0]),
    ],
)
def test_a_step(coins, moves, rewards, took):
    turn = after(placed((2, 2, EAST), (5, 2, EAST), coins=coins), moves)
    assert turn.rewards.tolist() == rewards
    assert turn.state.own.took.tolist() == took
    assert (turn.state.cells >= OWN).sum() == len(coins) - np.count_nonzero(took)


def test_what_was_taken_is_written_as_in_the_coin_game():
    """Measures read the same facts of both games."""
    state = after(placed((2, 2, EAST), (5, 2, EAST), coins=[(2, 3, FIRST), (5, 3, FIRST)]), [FORWARD, FORWARD]).state
    facts = BARE.facts(state)
    assert (facts["own_coins"].tolist(), facts["others_coins"].tolist()) == ([1, 0], [0, 1])


def test_moves_go_by_where_one_faces():
    """Two steps east of a wall, facing south: left is east, right is west, and the wall stops."""
    walk = lambda move: divmod(int(after(placed((2, 2, SOUTH), (5, 5, NORTH)), [move, NOOP]).state.body.at[0]), 8)
    assert [walk(move) for move in (NOOP, FORWARD, BACK, LEFT, RIGHT)] == [(2, 2), (3, 2), (1, 2), (2, 3), (2, 1)]
    turned = after(placed((1, 2, NORTH), (5, 5, NORTH)), [TURN_LEFT, TURN_RIGHT], [RIGHT, RIGHT])  # to the wall, and along another
    assert turned.state.body.facing.tolist() == [WEST, EAST]
    assert turned.state.body.at.tolist() == [1 * 8 + 2, 6 * 8 + 5]


def test_where_players_may_overlap_both_take_a_coin():
    crowd = Coins(**{**vars(BARE), "overlap": True})
    turn = after(placed((3, 2, EAST), (3, 4, WEST), coins=[(3, 3, FIRST)]), [FORWARD, FORWARD], game=crowd)
    assert turn.rewards.tolist() == [-1, 1]
    assert "both take it" in crowd.rules(0)
    assert "both take it" not in BARE.rules(0)


def test_the_penalty_is_a_parameter():
    dear = Coins(**{**vars(BARE), "penalty": 5})
    assert after(placed((2, 2, EAST), (5, 2, EAST), coins=[(2, 3, SECOND)]), [FORWARD, NOOP], game=dear).rewards.tolist() == [1, -5]


def test_the_deed_of_a_round_is_the_own_part_of_the_coins():
    row = [(2, 3, FIRST), (2, 4, SECOND), (2, 5, FIRST), (5, 3, FIRST)]
    three = after(placed((2, 2, EAST), (5, 2, EAST), coins=row), [FORWARD] * 2, [FORWARD, NOOP], [FORWARD, NOOP])
    assert np.isnan(three.deeds).all()  # the round goes on
    four = after(three.state, [NOOP, NOOP])
    assert four.round_over
    np.testing.assert_allclose(four.deeds, [2 / 3, 0])
    eight = after(four.state, *[[NOOP, NOOP]] * 4)  # a new round, in which nobody takes anything
    assert (bool(eight.round_over), bool(eight.truncated), bool(eight.ended)) == (True, True, False)
    assert np.isnan(eight.deeds).all()


def test_each_sees_its_own_coins_as_own():
    """Both look east along one row: what one calls its own is the other's to the other."""
    sight = look(BARE, placed((3, 2, EAST), (4, 2, EAST), coins=[(3, 4, FIRST), (4, 5, SECOND), (4, 6, FIRST)]))
    assert sight.view.shape == (2, 11, 11)
    first, second = np.asarray(sight.view[:, 5:10, 5])  # from 4 ahead to where it stands
    assert first.tolist() == [FLOOR, FLOOR, OWN, FLOOR, FLOOR + WHO]
    assert second.tolist() == [OTHERS, OWN, FLOOR, FLOOR, FLOOR + 2 * WHO]
    assert np.asarray(sight.view[0, 6:8, 6]).tolist() == [OTHERS, FLOOR]  # to its right
    assert np.asarray(sight.view[:, 4, 5]).tolist() == [WALL, WALL]


def test_it_is_told_of_a_loss_and_not_of_what_the_other_takes_of_its_own():
    state = after(placed((2, 2, EAST), (5, 2, EAST), coins=[(2, 3, SECOND), (5, 3, SECOND)]), [FORWARD, FORWARD]).state
    sight = look(BARE, state)
    assert (sight.own.took.tolist(), sight.own.lost.tolist()) == ([OTHERS_TAKEN, OWN_TAKEN], [False, True])


def test_where_both_want_a_coin_each_gets_it_as_often():
    state = placed((3, 2, EAST), (3, 4, WEST), coins=[(3, 3, FIRST)])
    keys = seeds.fold(seeds.root(3), jnp.arange(4000))
    turns = jax.vmap(lambda key: BARE.step(key, state, jnp.array([FORWARD] * 2)))(keys)
    first = np.asarray(turns.state.own.took[:, 0] > 0)
    assert ((np.asarray(turns.state.own.took) > 0).sum(1) == 1).all()
    assert abs(first.mean() - 1 / 2) < 4 * 0.5 / np.sqrt(4000)
    assert set(map(tuple, np.asarray(turns.rewards).tolist())) == {(1, 0), (-2, 1)}


@pytest.mark.parametrize(("growth", "keys"), [(0.0005, 20_000), (0.3, 500), (1.0, 20), (0.0, 20)])
def test_coins_grow_with_their_probability_in_either_colour(growth, keys):
    game = Coins(growth=growth)
    world = start(game)
    cells = np.asarray(jax.vmap(lambda key: game.grow(key, world))(seeds.fold(seeds.root(4), jnp.arange(keys))))
    coin = game.ground.kinds["coin"]
    assert (cells[:, ~coin] == world.cells[~coin]).all()
    grown, trials = int((cells >= OWN).sum()), keys * 223
    assert abs(grown - trials * growth) <= 4 * np.sqrt(trials * growth * (1 - growth))
    assert abs(int((cells == FIRST).sum()) - grown / 2) <= 4 * np.sqrt(grown) / 2


def test_the_room_fills_as_the_closed_form_says():
    """Both stay where no coin grows: after t steps each of 46 cells has one with 1 - 0.99^t."""
    groups = rollout.seat([(Constant(amount=NOOP),)], np.zeros((200, 2), int))
    coins = rollout.play(RICH, groups, seeds.fold(seeds.root(1), jnp.arange(200)), quick=True).facts["coins"]
    full = 1 - 0.99 ** np.arange(1, 101)
    assert (abs(coins.mean(1) - 46 * full) < 5 * np.sqrt(46 * full * (1 - full) / 200)).all()
    assert RICH.yardsticks()["welfare"] == pytest.approx(0.01 * 46 * 100)
    assert Coins().yardsticks()["welfare"] == pytest.approx(111.5)


def test_seats_are_alike():
    """The same with players and colours exchanged, but where two want one cell: there a draw decides."""
    rng, alike = np.random.default_rng(0), 0
    for _ in range(20):
        spots = [divmod(spot, 8) for spot in rng.choice([r * 8 + c for r in range(1, 7) for c in range(1, 7)], 8, replace=False).tolist()]
        players, moves = [(*spots[0], EAST), (*spots[1], NORTH)], rng.integers(0, 7, 2).tolist()
        coins = [(r, c, FIRST if i % 2 else SECOND) for i, (r, c) in enumerate(spots[2:])]
        one = after(placed(*players, coins=coins), moves)
        other = after(placed(*players[::-1], coins=[(r, c, FIRST + SECOND - whose) for r, c, whose in coins]), moves[::-1])
        if one.state.body.at.tolist() == other.state.body.at.tolist()[::-1]:
            alike += 1
            assert one.rewards.tolist() == other.rewards.tolist()[::-1]
            seen, turned = look(BARE, one.state), look(BARE, other.state)
            assert np.asarray(seen.view % WHO).tolist() == np.asarray(turned.view[::-1] % WHO).tolist()
    assert alike >= 18


PAIRS = [(0, 0), (1, 1), (0, 1), (1, 0), (2, 1), (1, 2)]  # of a matcher, a grabber, and who walks at random


@functools.cache
def paired():
    """{pair: its matches}, all in one batch."""
    seating = np.repeat(np.array(PAIRS), 60, 0)
    groups = rollout.seat([(CoinMatcher(),), (CoinGrabber(),), (Random(),)], seating)
    steps = rollout.play(RICH, groups, seeds.fold(seeds.root(1), jnp.arange(len(seating))), quick=True)
    return {pair: jax.tree.map(lambda leaf: leaf[:, i * 60 : (i + 1) * 60], steps) for i, pair in enumerate(PAIRS)}  # noqa: B023


@pytest.mark.parametrize("pair", [(0, 1), (2, 1)])
def test_who_sits_where_makes_no_difference_to_policies(pair):
    one, other = paired()[pair].rewards.sum(0), paired()[pair[::-1]].rewards.sum(0)[:, ::-1]
    assert (abs(one.mean(0) - other.mean(0)) < 4 * np.sqrt(2) * one.std(0) / np.sqrt(60)).all()


def test_policies_reach_what_they_should():
    """Two who keep to their colour get most of what grows, two who grab anything nothing; a grabber exploits who keeps to it."""
    best = RICH.yardsticks()["welfare"]
    kept, grabbed, mixed = (paired()[pair] for pair in ((0, 0), (1, 1), (0, 1)))
    assert 0.7 * best < kept.rewards.sum((0, 2)).mean() < best
    total = grabbed.rewards.sum((0, 2))
    assert abs(total.mean()) < 4 * total.std() / np.sqrt(60)
    assert mixed.rewards[..., 0].sum() < 0 < mixed.rewards[..., 1].sum()
    assert np.nanmean(mixed.deeds[..., 0]) > 0.95 > 0.75 > np.nanmean(mixed.deeds[..., 1])


@pytest.mark.parametrize(
    ("coins", "grabs", "matches"),
    [
        ([(3, 6, FIRST), (4, 4, SECOND)], RIGHT, FORWARD),  # its own is further
        ([(3, 5, SECOND), (3, 6, FIRST)], FORWARD, RIGHT),  # around the other's
        ([(2, 4, FIRST)], LEFT, LEFT),
        ([(3, 3, FIRST)], BACK, BACK),
        ([(3, 2, FIRST)], TURN_RIGHT, TURN_RIGHT),  # it does not see two cells behind, and a wall is three ahead
    ],
)
def test_ways_to_coins(coins, grabs, matches):
    """The first faces east at (3, 4)."""
    sight = jax.tree.map(lambda rows: rows[0], look(BARE, placed((3, 4, EAST), (6, 1, NORTH), coins=coins)))
    move = lambda policy: int(policy.act(seeds.root(0), (), sight, None)[0])
    assert [move(CoinGrabber()), move(CoinMatcher())] == [grabs, matches]


def test_both_runners_play_the_same_match():
    agree(RICH, [(CoinMatcher(),), (Random(),)], 4)


@pytest.mark.slow
def test_both_runners_play_the_same_long_match():
    agree(Coins(growth=0.002), [(CoinMatcher(),), (CoinGrabber(),)], 2)


def test_bounds_hold():
    holds(Coins(height=4, width=4, growth=0.5, rounds=1, round_steps=4), tries=16, climbs=60)


def test_words():
    state = placed((3, 2, EAST), (6, 2, NORTH), coins=[(3, 4, FIRST), (4, 4, SECOND), (4, 2, SECOND)])
    assert BARE.tell(state, 0) == (
        "Round 1 of 2, step 1 of 4. You stand at row 4, column 3, and face east. Next to you: ahead floor, behind floor, left floor, "
        "right the other's coin. Your coin (1): 2 ahead. The other's coin (2): 1 right; 2 ahead 1 right. Player 2: 3 right, facing north."
    )
    state = after(state, [RIGHT, NOOP]).state
    assert BARE.tell(state, 0).endswith("You took a coin of the other's in the last step.")
    assert BARE.tell(state, 1).endswith("The other took a coin of yours in the last step.")
    rules = Coins().rules(1)
    assert "a map of 17 rows and 17 columns" in rules
    assert "loses 2 points" in rules
    assert "probability 0.0005" in rules


def test_the_scene_shows_coins_in_the_colours_of_their_owners():
    scene = BARE.scene(placed((3, 2, EAST), (6, 2, NORTH), coins=[(3, 4, FIRST), (4, 4, SECOND)]))
    coins = [(s["fill"], s["seat"], s["x"] * 8, s["y"] * 8) for s in scene if s.get("r", 0) == 0.28 / 8]
    assert coins == [("seat", 0, 4.5, 3.5), ("seat", 1, 4.5, 4.5)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("height", 3), ("width", 61), ("growth", -0.1), ("growth", 1.1), ("penalty", 0.5), ("rounds", 0), ("round_steps", 0), ("stop", 2)],
)
def test_wrong_parameters(field, value):
    with pytest.raises(SpecError, match=f"{field} must be"):
        Coins(**{field: value})
