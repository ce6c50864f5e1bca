"""The Coin Game, played out on 3 x 3 cells, numbered row by row."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from played import holds, look, match, start, step, turns

from commonage import seeds
from commonage.errors import SpecError
from commonage.games.coin_game import CoinGame, State, optimum
from commonage.learn import rollout
from commonage.policies.collector import Collector
from commonage.policies.constant import Constant
from commonage.policies.own_coin import OwnCoin
from commonage.policies.random import Random

GAME = CoinGame()
UP, DOWN, LEFT, RIGHT, STAY = range(5)


def board(at, coins, clock=0):
    """The players stand at `at`, their coins lie at `coins`."""
    return State(jnp.int32(clock), jnp.array(at), jnp.array(coins), jnp.zeros(2, jnp.int32))


def many(*policies, matches, game=GAME):
    seating = np.tile(np.arange(len(policies)), (matches, 1))
    return rollout.play(game, rollout.seat([(policy,) for policy in policies], seating), seeds.fold(seeds.root(1), jnp.arange(matches)))


def test_edges_are_joined():
    walk = lambda at, move: int(step(GAME, board([at, 4], [8, 8]), jnp.array([move, STAY])).state.at[0])
    assert [walk(0, move) for move in (UP, DOWN, LEFT, RIGHT, STAY)] == [6, 3, 2, 1, 0]
    assert [walk(5, move) for move in (UP, DOWN, LEFT, RIGHT, STAY)] == [2, 8, 4, 3, 5]
    assert [walk(8, -1)] == [8]  # no move


@pytest.mark.parametrize(
    ("at", "coins", "moves", "rewards", "deeds"),
    [
        ([0, 8], [1, 7], [RIGHT, LEFT], [1, 1], [1, 1]),  # each takes its own
        ([0, 8], [7, 1], [RIGHT, LEFT], [-1, -1], [0, 0]),  # each takes the other's
        ([0, 8], [4, 1], [RIGHT, STAY], [1, -2], [0, np.nan]),  # one takes the other's
        ([0, 2], [1, 8], [RIGHT, LEFT], [-1, 1], [1, 0]),  # both take the first one's
        ([0, 2], [1, 1], [RIGHT, STAY], [2, -2], [0, np.nan]),  # both coins on one cell
        ([0, 2], [1, 1], [RIGHT, LEFT], [0, 0], [0, 0]),  # and both take them
        ([0, 8], [0, 8], [STAY, STAY], [1, 1], [1, 1]),  # where one stands
        ([0, 8], [0, 8], [-1, STAY], [0, 1], [np.nan, 1]),  # no move takes nothing
        ([0, 8], [4, 5], [STAY, STAY], [0, 0], [np.nan, np.nan]),
    ],
)
def test_a_step(at, coins, moves, rewards, deeds):
    turn = step(GAME, board(at, coins), jnp.array(moves))
    assert turn.rewards.tolist() == rewards
    np.testing.assert_array_equal(turn.deeds, deeds)


def test_the_penalty_is_a_parameter():
    assert step(CoinGame(penalty=5), board([0, 8], [4, 1]), jnp.array([RIGHT, STAY])).rewards.tolist() == [1, -5]


def test_only_coins_that_were_taken_reappear():
    keys = seeds.fold(seeds.root(3), jnp.arange(64))
    after = jax.jit(jax.vmap(lambda key: GAME.step(key, board([0, 2], [1, 7]), jnp.array([RIGHT, STAY])).state))(keys)
    assert (np.asarray(after.coins[:, 1]) == 7).all()
    assert set(np.asarray(after.coins[:, 0]).tolist()) == set(range(9))
    assert (np.asarray(after.took) == [1, 0]).all()


def test_rounds_of_five_steps():
    steps = match(GAME, Random(), Random())
    assert np.flatnonzero(steps.round_over).tolist() == list(range(4, 50, 5))
    assert np.flatnonzero(steps.truncated).tolist() == [49]
    assert not steps.ended.any()
    assert steps.toward.tolist() == [[1, 0]] * 50
    assert (GAME.max_steps, GAME.round_steps) == (50, 5)


def test_coins_and_players_start_anywhere_and_coins_reappear_anywhere():
    """9,000 draws of pairs: chi-squared of the 81 pairs of cells, below its 99.99 % point at 80 degrees (133)."""
    keys = seeds.fold(seeds.root(4), jnp.arange(9000))
    again = lambda key, clock: GAME.step(key, board([0, 8], [0, 8], clock), jnp.array([STAY, STAY])).state
    first, again = jax.jit(lambda keys, clocks: (jax.vmap(GAME.start)(keys), jax.vmap(again)(keys, clocks)))(keys, np.arange(9000) % 50)
    pairs = [
        first.at,
        first.coins,
        again.coins,
        np.stack([first.at[:, 0], first.coins[:, 0]], 1),
        np.stack([first.coins[:, 0], again.coins[:, 0]], 1),
    ]
    for pair in pairs:
        counts = np.bincount(np.asarray(pair) @ [9, 1], minlength=81)
        assert ((counts - 9000 / 81) ** 2 / (9000 / 81)).sum() < 133


def test_who_stays_takes_what_falls_on_it():
    """Own coins of two that never move: 1/7 a match where they stand apart (8/9), else 1/8; 20,000 matches, within 4 sigma."""
    facts = many(Constant(amount=STAY), Constant(amount=STAY), matches=20_000).facts
    own, others = (facts[kind].sum(0) for kind in ("own_coins", "others_coins"))
    assert abs(own.mean() - (8 / 9 / 7 + 1 / 9 / 8)) < 4 * own.std() / np.sqrt(own.size)
    assert abs(others.mean() - (8 / 9 / 7 + 1 / 9 / 8)) < 4 * others.std() / np.sqrt(others.size)


def test_random_walkers_take_as_many_coins_as_the_exact_chain_says():
    """The chain over (player, its coin, other player): both move at random; expected own coins of a seat in 50 steps."""
    cells = np.arange(9)
    walk = np.zeros((9, 9))
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)):
        walk[cells, (cells // 3 + down) % 3 * 3 + (cells % 3 + right) % 3] += 0.2
    me, coin, other = np.ix_(cells, cells, cells)
    left = np.zeros((9, 9, 9))
    for _ in range(50):
        left = (me == coin) + np.where((me == coin) | (other == coin), left.mean(1, keepdims=True), left)
        left = np.einsum("ab,dc,bec->aed", walk, walk, left)
    own = many(Random(), Random(), matches=4000).facts["own_coins"].sum(0)
    assert abs(own.mean() - left.mean()) < 4 * own.mean(1).std() / np.sqrt(4000)


def test_the_optimum_is_out_of_reach_and_nearly_reached():
    """61 points expected at best; two cooperators come within 1 %, whom no penalty for stealing tempts; collectors get half."""
    best = GAME.yardsticks()["welfare"]
    assert best == optimum(3, 50, 2.0) == pytest.approx(60.93, abs=0.01)
    assert optimum(3, 1, 2.0) == pytest.approx(8 / 9 * 2 * 5 / 9)  # apart, 5 of 9 cells in reach; on one cell they are worth nothing
    total = {type(policy): many(policy, policy, matches=2000).rewards.sum((0, 2)) for policy in (OwnCoin(), Collector(), Random())}
    slack = 4 * total[OwnCoin].std() / np.sqrt(2000)
    assert 0.99 * best - slack < total[OwnCoin].mean() < best + slack
    assert total[Collector].mean() < 0.55 * best
    assert abs(total[Random].mean()) < 4 * total[Random].std() / np.sqrt(2000)


def test_own_coin_goes_around_the_others():
    def move(at, coins):
        sight = jax.tree.map(lambda rows: rows[0], look(GAME, board([at, 8], coins)))
        return int(OwnCoin().act(seeds.root(0), (), sight, jnp.ones(5, bool))[0])

    assert move(0, [4, 3]) == RIGHT  # down would be nearer to nothing, and take the other's
    assert move(0, [4, 1]) == DOWN
    assert move(0, [0, 4]) == STAY
    assert move(0, [1, 1]) == RIGHT  # both on one cell: no other way
    assert move(0, [2, 1]) == LEFT  # around the edge


def test_a_collector_goes_to_the_nearest():
    def move(at, coins):
        sight = jax.tree.map(lambda rows: rows[0], look(GAME, board([at, 8], coins)))
        return int(Collector().act(seeds.root(0), (), sight, jnp.ones(5, bool))[0])

    assert move(0, [4, 3]) == DOWN
    assert move(0, [1, 3]) == RIGHT  # as near: its own
    assert move(0, [4, 0]) == STAY


def test_a_cooperator_harms_only_where_both_coins_lie():
    steps = many(OwnCoin(), Collector(), matches=200)
    harms = steps.facts["others_coins"] > steps.facts["own_coins"]
    assert not harms[..., 0].any()
    assert harms[..., 1].any()
    assert steps.rewards[..., 0].sum() < 0.3 * steps.rewards[..., 1].sum()  # it is exploited


def test_bounds_hold():
    holds(CoinGame(rounds=1, round_steps=3), climbs=300)


def test_words():
    state = board([0, 0], [2, 4])
    where = "Your coin is 1 left of you. The other's coin is 1 down and 1 right of you. The other player is where you are."
    assert GAME.tell(state, 0) == f"Round 1, step 1 of 5. {where}"
    turn = turns(GAME, [STAY, STAY])[0]
    assert GAME.tell(turn.state._replace(took=np.array([1, 3])), 1).endswith(
        "You took both coins in the last step. The other took its own coin in the last step."
    )
    assert "3 by 3 cells whose edges are joined" in GAME.rules(0)
    circles = [shape for shape in GAME.scene(start(GAME)) if shape["shape"] == "circle"]
    assert len(circles) == 4
    assert all(0 <= shape["x"] <= 1 and 0 <= shape["y"] <= 1 for shape in circles)


def test_words_say_what_the_sight_says():
    """Both players read the same board from their own place: offsets lead from the one to the thing named."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        at, coins = rng.integers(0, 9, 2), rng.integers(0, 9, 2)
        sight = look(GAME, board(at, coins))
        for seat in range(2):
            for offset, cell in ((sight.mine, coins[seat]), (sight.theirs, coins[1 - seat]), (sight.other, at[1 - seat])):
                down, right = np.asarray(offset[seat]).tolist()
                assert (at[seat] // 3 + down) % 3 * 3 + (at[seat] % 3 + right) % 3 == cell
                assert max(abs(down), abs(right)) <= 1


@pytest.mark.parametrize(("field", "value"), [("rounds", 0), ("round_steps", 0), ("size", 2), ("size", 6), ("penalty", 0.5)])
def test_wrong_parameters(field, value):
    with pytest.raises(SpecError, match=f"{field} must be"):
        CoinGame(**{field: value})
