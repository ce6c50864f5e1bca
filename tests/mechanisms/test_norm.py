"""Proposing and voting on a norm, played out."""

import pytest
from towers import Lines, Plays, asked, asks, play, turns, unchanged

from commonage.errors import SpecError, Unfit
from commonage.games.dilemma import Dilemma
from commonage.games.pool import Pool
from commonage.games.public_goods import PublicGoods
from commonage.mechanisms.norm import Norm
from commonage.policies.random import Random

FOUR = Pool(seats=4, rounds=3)
MAJORITY = Norm(FOUR, rule="majority")
NO, YES = 0, 1


class Proposes(Lines):
    game = "norm"


@pytest.mark.parametrize(
    ("proposed", "limit"),
    [([10, 90, 30, 20], 20), ([10, 10, 90, 90], 10), ([50, -1, 30, 20], 30), ([-1, -1, -1, 70], 70), ([-1, -1, -1, -1], 100)],
)
def test_the_norm_is_the_median_the_lower_of_two(proposed, limit):
    """Whoever has retired proposes nothing; with nobody left the norm stays as it was."""
    (turn,) = turns(Norm(FOUR), proposed)
    assert turn.state.own.limit == limit


def test_it_is_told_to_all_and_binds_nobody():
    tower = Norm(FOUR)
    vote, played = turns(tower, [20, 20, 40, 40], [20, 21, 100, 0])
    assert all("The norm: at most 20 per cent." in tower.tell(vote.state, seat) for seat in range(4))
    assert tower.facts(played.state)["norm.broken"].tolist() == [False, True, True, False]
    assert played.state.game.effort.tolist() == [20, 21, 100, 0]


def test_a_majority_adopts_what_one_seat_proposes_and_seats_propose_by_turns():
    offer, vote, _, second = turns(MAJORITY, [30, -1, -1, -1], [-1, YES, YES, NO], [0] * 4, [-1, 60, -1, -1])
    assert asks(MAJORITY, offer.state) == [-1, 2, 2, 2]
    assert "There is no norm. Seat 1 proposes: at most 30 per cent." in MAJORITY.tell(offer.state, 3)
    assert (vote.state.own.limit, asks(MAJORITY, vote.state)) == (30, [0] * 4)
    assert asks(MAJORITY, second.state) == [2, -1, 2, 2]


@pytest.mark.parametrize(("votes", "limit"), [([NO, NO, YES], 100), ([NO, YES, YES], 30), ([NO, YES, -1], 30), ([NO, -1, -1], 100)])
def test_a_tie_leaves_the_norm_as_it_is(votes, limit):
    """The proposer's own counts as a yes: 2 of 4 are no majority, 2 of 3 are one."""
    turn = turns(MAJORITY, [30, -1, -1, -1], [-1, *votes])[-1]
    assert turn.state.own.limit == limit


def test_a_seat_that_has_retired_proposes_nothing():
    (turn,) = turns(MAJORITY, [-1, -1, -1, -1])
    assert asks(MAJORITY, turn.state) == [0] * 4


def test_a_vote_every_second_round():
    tower = Norm(Pool(seats=2, rounds=3), every=2)
    steps = play(tower, *[(Plays((0,)), Proposes((40, 60)))] * 2)
    assert asked(tower, steps) == ["propose", "effort", "effort", "propose", "effort"]
    assert steps.facts["norm.limit"][:, 0].tolist()[:5] == [40, 40, 40, 60, 60]


def test_a_norm_may_be_given():
    tower = Norm(FOUR, every=0, limit=25)
    (turn,) = turns(tower, [25, 26, 0, -1])
    assert tower.facts(turn.state)["norm.broken"].tolist() == [False, True, False, False]
    assert tower.adds(0) == "There is the group's norm, the most that one should choose at 'effort'. It binds nobody."


def test_a_least_amount():
    tower = Norm(PublicGoods(seats=3, rounds=1), least=True)
    vote, played = turns(tower, [5, 10, 20], [9, 10, 20])
    assert "The norm: at least 10 tokens." in tower.tell(vote.state, 0)
    assert tower.facts(played.state)["norm.broken"].tolist() == [True, False, False]


def test_proposals_change_nothing():
    unchanged(FOUR, Norm(FOUR), *[Random()] * 4)
    unchanged(FOUR, MAJORITY, *[Random()] * 4)


def test_wrong_parameters():
    with pytest.raises(Unfit, match="dilemma asks for cooperate or defect"):
        Norm(Dilemma())
    with pytest.raises(SpecError, match="limit must be an amount, 0 to 100, or -1"):
        Norm(FOUR, limit=101)
    with pytest.raises(SpecError, match="rule must be median or majority"):
        Norm(FOUR, rule="plurality")
