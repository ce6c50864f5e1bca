"""The common pool, played out."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played import climb, look, match, start, turns

from commonage.errors import SpecError
from commonage.games.pool import Pool
from commonage.policies.best_harvester import BestHarvester, solved
from commonage.policies.constant import Constant
from commonage.policies.steward import Steward

TWO = Pool(seats=2)
FOUR = Pool(seats=4, rounds=6)


def oracle(game, measure, side):
    return next(o.value for o in game.oracles() if (o.measure, o.side) == (measure, side))


def test_two_rounds_by_hand():
    """Of 100 tons all harvest half with full effort, each half of that; growth is 0.25 x 62.5 x (1 - 0.625) = 5.859."""
    first, second = turns(TWO, [100, 50], [0, 100])
    assert (first.state.stock, first.state.caught.tolist()) == (62_50, [25_00, 12_50])
    assert first.rewards.tolist() == [24.75, 12.25]  # a quarter of a ton is eaten
    assert first.deeds.tolist() == [1, 1]  # half of 100 - 50 tons each
    assert (second.state.stock, second.state.caught.tolist()) == (62_50 + 5_85 - 15_62, [0, 15_62])
    assert second.rewards.tolist() == [-0.25, np.float32(15.37)]
    assert second.state.threshold == (62_50 + 5_85 - 50_00) // 2
    assert second.deeds.tolist() == [1, 0]


def test_what_is_left_doubles_under_the_law_of_the_commons():
    game = Pool(seats=2, law="doubling", initial=60)
    half, more = turns(game, [100, 100], [100, 40])
    assert half.state.stock == 60_00  # 60 - 2 x 15, twice
    assert half.deeds.tolist() == [1, 1]
    assert more.state.stock == 2 * (60_00 - 15_00 - 6_00)


def test_too_little_left_ends_it():
    few = Pool(seats=1, reach=100, rounds=9)
    assert [bool(turn.ended) for turn in turns(few, [95], [80])] == [False, True]  # 5 tons are enough, 2 are not
    steps = match(Pool(), *[Constant(amount=100)] * 8)
    assert steps.live.sum() == 8  # R (1.25 - R / 400 - 0.5) a round: 50, 31.3, 21.0, 14.6, 10.4, 7.6, 5.5, 4.1
    assert not match(Pool(), *[Constant(amount=50)] * 8).ended.any()  # growth at a small stock outweighs half effort, just


def test_stewards_keep_the_stock_that_yields_most():
    steps = match(Pool(), *[Steward()] * 8)
    assert (steps.facts["stock"][1:] > 49).all()
    assert not steps.ended.any()
    assert (steps.deeds == 1).all()


def test_a_retired_seat_takes_and_eats_nothing():
    (turn,) = turns(TWO, [40, -1])
    assert (turn.rewards[1], np.isnan(turn.deeds[1])) == (0, True)
    assert "your effort" not in TWO.tell(turn.state, 1)


def test_nobody_sees_others_nor_what_is_earned():
    (turn,) = turns(TWO, [100, 50])
    assert TWO.tell(turn.state, 1) == (
        "Round 2. The stock holds 62.5 tons, a round ago 100. Last round your effort was 50 per cent, and you harvested 12.5 tons."
    )
    assert look(TWO, turn.state).efforts.tolist() == [[100, -1], [-1, 50]]
    told = Pool(seats=2, report=True)
    assert "The others: seat 1 100 per cent." in told.tell(turns(told, [100, 50])[0].state, 1)
    assert TWO.tell(start(TWO), 0) == "Round 1. The stock holds 100 tons."


@pytest.mark.parametrize("law", ["logistic", "doubling"])
def test_the_ceiling_is_what_trying_everything_finds(law):
    """One seat, two rounds, every pair of efforts: rounding costs at most a few hundredths."""
    game = Pool(seats=1, rounds=2, law=law, initial=40)
    best = max(float(sum(turn.rewards[0] for turn in turns(game, [a], [b]))) for a, b in itertools.product(range(0, 101, 10), repeat=2))
    assert best <= oracle(game, "gain", "ceiling") <= best + 0.05


@pytest.mark.parametrize("game", [Pool(seats=2, rounds=4, initial=50), Pool(seats=2, rounds=4, law="doubling")])
def test_a_search_does_not_break_the_bounds(game):
    ceiling, floor = oracle(game, "welfare_sum", "ceiling"), oracle(game, "welfare_sum", "floor")
    assert 0.98 * ceiling <= climb(game, "welfare_sum", "ceiling") <= ceiling + 1e-4
    assert climb(game, "welfare_sum", "floor") >= floor - 1e-4


def test_welfare_leaves_a_stock_that_lasts():
    """From 25 tons no more than grows back to 25; from 100 the surplus over 50 tons, too."""
    rich, scarce = Pool().yardsticks()["welfare"], Pool(initial=25).yardsticks()["welfare"]
    eaten = 60 * 8 * 0.25
    assert 50 + 59 * 6.25 - eaten - 2 < rich < 50 + 60 * 6.25 - eaten  # 100 tons don't grow
    assert scarce < 25 * 0 + 60 * 6.25 - eaten
    assert rich < oracle(Pool(), "welfare_sum", "ceiling")


def test_the_best_reply_to_stewards_is_as_good_as_any():
    """What it earns beside three stewards is what was solved, and no constant effort earns more."""
    game, best = Pool(seats=4, rounds=3, initial=60), BestHarvester(seats=4, rounds=3)
    solution = solved(4, 3, 100, 25, 50, 5, 0.25)[1][60_00]
    earned = lambda *policies: match(game, *policies).rewards[:, 0].sum()
    assert earned(best, *[Steward()] * 3) == pytest.approx(solution, abs=1e-4)
    others = max(earned(Constant(amount=effort), *[Steward()] * 3) for effort in range(0, 101, 20))
    assert others <= solution + 1e-4


def test_a_best_reply_to_stewards_takes_all_it_can_and_they_make_room():
    steps = match(Pool(), BestHarvester(), *[Steward()] * 7)
    gains = steps.rewards.sum(0)
    assert gains[0] > gains[1:].max()
    assert not steps.ended.any()


efforts = st.lists(st.lists(st.integers(-1, 100), min_size=4, max_size=4), min_size=6, max_size=6)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(rows=efforts, order=st.permutations(range(4)))
def test_the_stock_stays_within_bounds_and_seats_are_alike(rows, order):
    state, plain = start(FOUR), turns(FOUR, *rows)
    before = [int(state.stock), *(int(turn.state.stock) for turn in plain)]
    for stock, turn in zip(before, plain, strict=False):
        assert 0 <= turn.state.stock <= 100_00
        assert 0 <= turn.state.caught.sum() <= stock / 2
    turned = turns(FOUR, *[[row[i] for i in order] for row in rows])
    for one, other in zip(plain, turned, strict=True):
        np.testing.assert_array_equal(one.rewards[list(order)], other.rewards)
        assert one.state.stock == other.state.stock


@pytest.mark.parametrize(
    ("field", "value"),
    [("law", "linear"), ("capacity", 901), ("growth", 101), ("reach", 0), ("initial", 0), ("collapse", 101), ("consumption", -1)],
)
def test_wrong_parameters(field, value):
    with pytest.raises(SpecError, match=f"{field} must be"):
        Pool(**{field: value})
