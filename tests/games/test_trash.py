"""The inverse game, played out."""

import itertools

import numpy as np
import pytest
from played import ask, holds, look, match, start, turns

from commonage import Study
from commonage.errors import SpecError
from commonage.games.trash import Trash
from commonage.policies.constant import Constant
from commonage.policies.fair_remover import FairRemover
from commonage.policies.idler import Idler

GAME = Trash()
SMALL = {"seats": 2, "rounds": 3, "capacity": 6, "added": 3, "limit": 4}


def oracle(game, measure, side):
    return next(o.value for o in game.oracles() if (o.measure, o.side) == (measure, side))


def test_a_month():
    """100, of which 60 go; 50 come."""
    (turn,) = turns(GAME, [20, 0, 30, 10, 0])
    assert turn.state.stock == 90
    assert turn.rewards.tolist() == [-20, 0, -30, -10, 0]
    assert turn.deeds.tolist() == [1, 0, 1, 1, 0]
    assert (bool(turn.ended), bool(turn.truncated), bool(turn.round_over)) == (False, False, True)


@pytest.mark.parametrize(
    ("removed", "lost"), [([1, 1, 1, 1, 0], True), ([1, 1, 1, 1, 1], False), ([5, 0, 0, 0, 0], False), ([0] * 5, True)]
)
def test_it_is_lost_with_more_than_95_left(removed, lost):
    (turn,) = turns(GAME, removed)
    assert (bool(turn.ended), bool(turn.truncated)) == (lost, False)
    assert turn.state.stock == 100  # no room for more


def test_removing_one_each_survives_for_ever():
    """It is no mirror of the fishery."""
    steps = match(Trash(rounds=500), *[Constant(amount=1)] * 5)
    assert steps.live.all()
    assert not steps.ended.any()
    assert (steps.facts["stock"] == 100).all()


def test_the_last_month_counts():
    game = Trash(rounds=2)
    kept, lost = turns(game, [1] * 5, [1] * 5)[-1], turns(game, [1] * 5, [0] * 5)[-1]
    assert (bool(kept.ended), bool(kept.truncated)) == (False, True)
    assert (bool(lost.ended), bool(lost.truncated)) == (True, False)


def test_no_deed_where_nothing_has_to_go():
    first, second = turns(GAME, [12] * 5, [0, 1, 0, 0, 0])
    assert first.deeds.tolist() == [1] * 5
    assert first.state.stock == 90
    assert np.isnan(second.deeds).all()


@pytest.mark.parametrize("sharing", ["unit", "proportional"])
def test_more_than_there_is_cannot_go(sharing):
    (turn,) = turns(Trash(sharing=sharing), [100, 100, 100, 5, 0])
    removed = turn.state.removed
    assert removed.sum() == 100
    assert (removed <= [100, 100, 100, 5, 0]).all()
    assert turn.state.stock == 50
    assert turn.rewards.tolist() == (-removed).tolist()
    assert ask(GAME, turn.state).legal.high.tolist() == [50] * 5


def test_a_retired_seat_removes_nothing_and_gets_nothing():
    (turn,) = turns(Trash(worth=4), [5, -1, 0, 2, 0])
    np.testing.assert_array_equal(turn.deeds, [1, np.nan, 0, 1, 0])
    assert turn.rewards.tolist() == [-1, 0, 4, 2, 4]
    assert GAME.tell(turn.state, 0) == (
        "Month 2. The house holds 100 units of trash. Last month you took out 5. The others: seat 3 took out 0, seat 4 took out 2, "
        "seat 5 took out 0."
    )


def test_who_pays():
    (costs,), (earns,), (lost,) = (
        turns(Trash(**pay), [3, 0, 2, 1, x]) for pay, x in (({"cost": 2}, 0), ({"cost": -1}, 0), ({"worth": 9}, -1))
    )
    assert costs.rewards.tolist() == [-6, 0, -4, -2, 0]
    assert earns.rewards.tolist() == [3, 0, 2, 1, 0]  # as the code of the reproduction counts
    assert lost.rewards.tolist() == [6, 9, 7, 8, 0]
    (gone,) = turns(Trash(worth=9), [3, 0, 0, 1, 0])
    assert gone.rewards.tolist() == [-3, 0, 0, -1, 0]


@pytest.mark.parametrize(
    ("seats", "months", "total"),
    [
        ([FairRemover()] * 5, 12, -60),
        ([Idler()] * 5, 1, 0),
        ([FairRemover()] * 4 + [Idler()], 1, -4),
        ([Constant(amount=10)] * 4 + [Idler()], 12, -480),
        ([Constant(amount=20)] * 5, 12, -650),
    ],
)
def test_policies(seats, months, total):
    steps = match(GAME, *seats)
    assert (steps.live.sum(), steps.rewards.sum()) == (months, total)


def test_a_share_is_rounded_up():
    game = Trash(limit=93)  # 7 of five
    assert look(game, start(game)).share.tolist() == [2] * 5
    assert not match(game, *[FairRemover()] * 5).ended.any()


@pytest.mark.parametrize("pay", [{}, {"cost": -1}, {"worth": 1}, {"cost": 0.5, "worth": 3}])
def test_no_search_breaks_a_bound(pay):
    holds(Trash(**SMALL, **pay), reached=True)


@pytest.mark.parametrize("pay", [{}, {"cost": -1}, {"cost": 0.5, "worth": 3}])
@pytest.mark.parametrize("shape", [{}, {"added": 1}, {"added": 6, "limit": 0}, {"limit": 2, "rounds": 4}])
def test_the_ends_are_those_of_all_plays(shape, pay):
    """Every sequence of totals, in plain Python."""
    game = Trash(**SMALL | shape, **pay)
    found = [result for total in itertools.product(range(game.capacity + 1), repeat=game.rounds) if (result := plain(game, total))]
    assert oracle(game, "welfare_sum", "ceiling") == pytest.approx(max(points for points, _, _ in found))
    assert oracle(game, "welfare_sum", "floor") == pytest.approx(min(points for points, _, _ in found))
    assert game.least() == min(removed for _, removed, kept in found if kept)


def plain(game, totals):
    """(points, removed, kept) of a match in which so much is removed each month; None where so much is never there."""
    stock, points, removed = game.capacity, 0.0, 0
    for total in totals:
        if total > stock:
            return None
        points, removed, stock = points - game.cost * total, removed + total, stock - total
        if stock > game.limit:
            return points, removed, False
        points, stock = points + game.worth * game.seats, min(stock + game.added, game.capacity)
    return points, removed, True


def test_oracles():
    gain = [oracle(GAME, "gain", side) for side in ("floor", "reference", "ceiling")]
    assert gain == [-130, -12, 0]
    assert GAME.yardsticks() == {}  # nothing can be earned: efficiency is undefined
    assert Trash(cost=-1).yardsticks() == {"welfare": 650}
    assert Trash(worth=5).yardsticks() == {"welfare": 240}  # 12 x 5 x 5 - 60


def test_measures(tmp_path):
    """Defined where something is earned, and not there where nothing can be."""

    def cells(game, seats):
        arm = Study(game, seats, repeats=2).run(tmp_path / game).summary()["arms"][0]
        return {name: cell["mean"] for name, cell in arm["measures"].items()}

    told = cells("trash", "fair_remover*4,constant(3)")
    assert (told["survival_rate"], told["survival_time"], told["gain"], told["cooperation"]) == (1, 12, pytest.approx(-84 / 5), 1)
    assert told["equality"] is None
    assert "efficiency" not in told
    assert "accuracy" not in told
    counted = cells("trash(cost=-1)", "fair_remover*4,constant(3)")
    assert (counted["gain"], counted["efficiency"]) == (pytest.approx(84 / 5), pytest.approx(84 / 650))
    assert counted["equality"] == pytest.approx(1 - 8 * 24 / (10 * 84))
    priced = cells("trash(worth=5)", "constant(5),idler*4")
    assert (priced["efficiency"], priced["gain"]) == (1, 48)
    assert priced["equality"] == pytest.approx(1 - 8 * 60 / (10 * 240))


def test_words_say_what_the_sight_shows():
    state = turns(GAME, [10, 0, 0, 0, 0])[0].state
    assert GAME.tell(start(GAME), 1) == "Month 1. The house holds 100 units of trash."
    assert GAME.tell(state, 1).endswith("The others: seat 1 took out 10, seat 3 took out 0, seat 4 took out 0, seat 5 took out 0.")
    secret = Trash(report=False)
    assert secret.tell(state, 1) == "Month 2. The house holds 100 units of trash. Last month you took out 0."
    assert look(secret, state).removed[1].tolist() == [-1, 0, -1, -1, -1]
    assert look(GAME, state).removed[1].tolist() == [10, 0, 0, 0, 0]


def test_rules():
    assert GAME.rules(0) == (
        "5 people share a house that holds at most 100 units of trash. Every month, for 12 months, each decides in private and at the "
        "same time how many units to take out. Then everybody learns what each one took out. Then 50 units are added, up to 100. "
        "If more than 95 remain after a month's removal, the house is lost and all ends. A unit costs the one who takes it out 1 point."
    )
    other = Trash(report=False, cost=-2, worth=3).rules(0)
    assert other.endswith(
        "A unit earns the one who takes it out 2 points. A month in which the house is not lost is worth 3 points to each."
    )
    assert "learns" not in other
    assert Trash(cost=0).rules(0).endswith("the house is lost and all ends.")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("limit", 100, "at least 0 and below the capacity, which is 100"),
        ("added", -1, "between 0 and 9999"),
        ("sharing", "lots", "unit or proportional"),
        ("cost", float("nan"), "a number of points"),
        ("worth", -1, "a number of points, 0 or more"),
        ("seats", 0, "at least 1"),
    ],
)
def test_bad_parameters_say_the_rule(field, value, says):
    with pytest.raises(SpecError, match=f"{field} must be {says}"):
        Trash(**{field: value})


def test_scene_shows_the_pile_and_what_each_removed():
    shapes = GAME.scene(turns(GAME, [10, 0, 60, 0, 3])[0].state)
    assert [shape.get("text") for shape in shapes] == [None, "77", "10", "0", "60", "0", "3"]
