"""The public goods game, played out."""

import numpy as np
import pytest
from played import holds, look, match, start, turns

from commonage.errors import SpecError
from commonage.game import Legal
from commonage.games.public_goods import PublicGoods
from commonage.policies.conditional_cooperator import ConditionalCooperator
from commonage.policies.constant import Constant
from commonage.policies.free_rider import FreeRider

GAME = PublicGoods()


def oracle(game, measure, side):
    return next(o.value for o in game.oracles() if (o.measure, o.side) == (measure, side))


@pytest.mark.parametrize(
    ("gives", "earns"),
    [
        ([0, 0, 0, 0], [20, 20, 20, 20]),
        ([20, 20, 20, 20], [32, 32, 32, 32]),
        ([20, 20, 20, 0], [24, 24, 24, 44]),
        ([20, 0, 0, 0], [8, 28, 28, 28]),
        ([5, 10, 0, 20], [29, 24, 34, 14]),
    ],
)
def test_payoffs(gives, earns):
    """Four seats, 20 tokens, MPCR 0.4 (Fehr & Gächter 2000): 20 - own + 0.4 x pot."""
    (turn,) = turns(GAME, gives)
    np.testing.assert_allclose(turn.rewards, earns, rtol=1e-6)
    np.testing.assert_allclose(turn.deeds, np.array(gives) / 20, rtol=1e-6)
    assert turn.round_over
    assert not turn.ended


def test_lasts_for_its_rounds():
    assert [bool(turn.truncated) for turn in turns(PublicGoods(rounds=3), *[[1, 2, 3, 4]] * 3)] == [False, False, True]


def test_a_retired_seat_gives_nothing_and_gets_nothing():
    turn = turns(GAME, [20, -1, 0, 10])[0]
    np.testing.assert_allclose(turn.rewards, [12, 0, 32, 22], rtol=1e-6)
    np.testing.assert_allclose(turn.deeds, [1, np.nan, 0, 0.5])
    assert turn.state.given.tolist() == [20, -1, 0, 10]
    assert GAME.tell(turn.state, 0) == "Round 2. Last round you gave 20. The others: seat 3 gave 0, seat 4 gave 10."


def test_all_free_ride_and_all_give():
    assert match(GAME, *[FreeRider()] * 4).rewards.sum(0).tolist() == [200.0] * 4
    np.testing.assert_allclose(match(GAME, *[ConditionalCooperator()] * 4).rewards.sum(0), [320.0] * 4, rtol=1e-6)


def test_conditional_cooperators_follow_the_others():
    steps = match(PublicGoods(rounds=4), *[ConditionalCooperator()] * 3, FreeRider())
    # the mean of (20, 20, 0) is 13 1/3, of (13, 13, 0) 8 2/3, of (9, 9, 0) 6
    assert steps.move.tolist() == [[20, 20, 20, 0], [13, 13, 13, 0], [9, 9, 9, 0], [6, 6, 6, 0]]


def test_a_self_serving_bias_lets_cooperation_decay():
    steps = match(PublicGoods(rounds=4), *[ConditionalCooperator(first=50, slope=80)] * 4)
    assert steps.move[:, 0].tolist() == [10, 8, 6, 5]


def test_a_conditional_cooperator_ignores_retired_seats():
    sight = look(GAME, turns(GAME, [20, -1, 0, 10])[0].state)
    mine = type(sight)(*(rows[0] for rows in sight))
    move, _ = ConditionalCooperator().act(None, (), mine, Legal(np.int32(0), np.int32(20), np.ones(0, bool)))
    assert move == 5  # the mean of 0 and 10


def test_constant_gives_its_amount():
    assert (match(PublicGoods(rounds=2), *[Constant(amount=7)] * 4).move == 7).all()


def test_words_say_what_the_sight_shows():
    assert GAME.tell(start(GAME), 2) == "Round 1. Nobody has given yet."
    state = turns(GAME, [20, 3, 0, 10])[0].state
    assert GAME.tell(state, 1) == "Round 2. Last round you gave 3. The others: seat 1 gave 20, seat 3 gave 0, seat 4 gave 10."
    sight = look(GAME, state)
    assert sight.mine.tolist() == [20, 3, 0, 10]
    assert sight.given[1].tolist() == [20, 3, 0, 10]
    final = turns(PublicGoods(rounds=1), [20, 3, 0, 10])[0].state
    assert PublicGoods(rounds=1).tell(final, 0).startswith("The 1 rounds are over. Last round you gave 20.")
    assert "worth 0.4 points to each of the 4" in GAME.rules(0)


def test_facts():
    facts = GAME.facts(turns(GAME, [20, -1, 0, 10])[0].state)
    assert facts["given"].tolist() == [20, -1, 0, 10]
    assert facts["pot"] == 30


@pytest.mark.parametrize("mpcr", [0.0, 0.1, 0.25, 0.4, 1.0, 1.5])
def test_no_search_breaks_a_bound(mpcr):
    holds(PublicGoods(rounds=4, mpcr=mpcr), reached=True)


def test_bounds_are_reached():
    assert oracle(GAME, "welfare_sum", "floor") == 800
    assert oracle(GAME, "welfare_sum", "ceiling") == pytest.approx(1280)
    assert oracle(GAME, "gain", "ceiling") == pytest.approx(320)
    assert GAME.yardsticks()["welfare"] == pytest.approx(1280)
    harmful = PublicGoods(mpcr=0.1)  # giving destroys value: giving nothing is the optimum
    assert oracle(harmful, "gain", "floor") == pytest.approx(80)
    assert oracle(harmful, "gain", "ceiling") == pytest.approx(200)


def test_bad_parameters_say_the_rule():
    with pytest.raises(SpecError, match="seats must be at least 2"):
        PublicGoods(seats=1)
    with pytest.raises(SpecError, match="mpcr must be at least 0"):
        PublicGoods(mpcr=-0.1)


def test_scene_draws_every_seat():
    shapes = GAME.scene(turns(GAME, [20, -1, 0, 10])[0].state)
    assert [shape["text"] for shape in shapes] == ["30", "20", "0", "0", "10"]
