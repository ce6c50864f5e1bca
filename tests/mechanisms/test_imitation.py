"""Social learning, played out."""

import numpy as np
import pytest
from towers import Lines, Plays, play, turns, unchanged

from commonage.errors import SpecError
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.games.pool import Pool
from commonage.mechanisms.imitation import Imitation
from commonage.mechanisms.monitor import Monitor
from commonage.mechanisms.norm import Norm
from commonage.policies.norm_follower import NormFollower
from commonage.policies.norm_keeper import NormKeeper
from commonage.policies.norm_proposer import NormProposer
from commonage.policies.random import Random

C, D = 0, 1


class Watches(Lines):
    game = "monitor"


def test_who_earned_less_is_shown_what_the_other_did():
    tower = Imitation(Dilemma(rounds=3))
    first, second = turns(tower, [D, C], [C, C])
    assert first.state.peer.tolist() == [-1, 0]
    assert "Seat 1 has earned more than you so far. What it did last: choose: defect." in tower.tell(first.state, 1)
    assert "earned" not in tower.tell(first.state, 0)
    assert second.state.peer.tolist() == [-1, 0]  # 8 against 3: so far, not in the last round
    assert "choose: cooperate." in tower.tell(second.state, 1)


def test_equals_learn_nothing():
    assert turns(Imitation(Dilemma()), [C, C])[0].state.peer.tolist() == [-1, -1]


def test_the_greater_the_difference_the_likelier():
    """5 points ahead on a scale of 20: a quarter of 4,000 matches, give or take 4 standard errors."""
    steps = play(Imitation(Dilemma(rounds=2), scale=20), Plays((D, C)), Copies(), matches=4000)
    assert abs((steps.move[1, :, 1] == D).mean() - 1 / 4) < 4 * np.sqrt(3 / 16 / 4000)


class Copies(Lines):
    """Cooperates, then does what the peer did that it is shown."""

    game = "dilemma"
    sees = ("imitation",)

    def act(self, key, memory, sight, legal, imitation=None):
        shown = -1 if imitation is None else imitation.moves["dilemma"][0]
        return legal.nearest(shown), memory + 1


def test_nobody_looks_at_others_all_the_time():
    """At a rate of 1 in 4 a quarter of 4,000 seats that earned less are shown who earned more, give or take 4 standard errors."""
    steps = play(Imitation(Dilemma(rounds=2), rate=0.25), Plays((D, C)), Copies(), matches=4000)
    assert abs((steps.move[1, :, 1] == D).mean() - 1 / 4) < 4 * np.sqrt(3 / 16 / 4000)


def test_fines_count_as_earnings_and_all_layers_inside_are_shown():
    """A defector that is fined 7 has -2, the one who fined it -1; its chance to check is shown with its move."""
    tower = Imitation(Monitor(Dilemma(rounds=2), fine=7))
    *_, turn = turns(tower, [D, C], [0, 100], [-1, 100])
    assert turn.state.peer.tolist() == [1, -1]
    assert "What it did last: choose: cooperate; check: 100 per cent; fine: 100 per cent." in tower.tell(turn.state, 0)
    sight = tower.sights(turn.state)["imitation"]
    assert {name: np.asarray(rows[0]).tolist() for name, rows in sight.moves.items()} == {"dilemma": [0], "monitor": [100, 100]}


def test_what_is_done_in_the_next_round_is_not_shown_before_it_is_over():
    tower = Imitation(Monitor(Dilemma(rounds=2)))
    *_, later = turns(tower, [D, C], [0, 0], [C, C])
    assert "choose: defect" in tower.tell(later.state, 1)


def test_a_seat_that_has_retired_is_shown_to_nobody():
    tower = Imitation(Commons(seats=3))
    assert turns(tower, [30, -1, 0], [-1, -1, 0])[-1].state.peer[2] == -1


def test_it_shows_and_changes_nothing():
    unchanged(Dilemma(), Imitation(Dilemma()), Random(), Random())
    unchanged(Commons(), Imitation(Commons(), scale=5), *[Random()] * 5)


def test_wrong_parameters():
    with pytest.raises(SpecError, match="rate must be between 0 and 1"):
        Imitation(Dilemma(), rate=2)
    with pytest.raises(SpecError, match="scale must be between 0 and 600"):
        Imitation(Dilemma(), scale=601)


# rule-based seats


def test_an_imitator_takes_the_effort_of_whoever_does_better():
    """The one with 90 per cent has earned more after a round; without errors the other does as it did."""
    tower = Imitation(Pool(seats=2, rounds=3))
    steps = play(tower, Plays((90,)), NormFollower(nature="altruistic", error=0))
    assert steps.move[0, 0, 1] <= 40
    assert steps.move[1:, 0, 1].tolist() == [90, 90]


def test_every_part_copies_its_own_moves():
    tower = Imitation(Monitor(Norm(Pool(seats=2, rounds=2))))
    parts = (NormFollower(error=0, weight=0), NormKeeper(error=0), NormProposer(error=0, step=0))
    leader = (Plays((100,)), Watches((7, 3)), Proposes((33,)))
    steps = play(tower, leader, parts)
    assert steps.move[4:, 0, 1].tolist() == [33, 100, 7, 3]


class Proposes(Lines):
    game = "norm"


def test_half_of_the_excess_is_given_up_when_a_norm_is_set():
    tower = Norm(Pool(seats=2, rounds=3))
    steps = play(tower, (Plays((0,)), Proposes((20,))), (NormFollower(weight=50, error=0), Proposes((20,))))
    first, second, third = steps.move[1::2, 0, 1].tolist()
    assert 40 <= first <= 60  # 60..100, half the way to 20
    assert (second, third) == (first - (first - 20 + 1) // 2, second - (second - 20 + 1) // 2)


def test_a_fine_reminds_of_the_sustainable_share():
    tower = Monitor(Pool(seats=2, rounds=2, initial=50), cost=0)
    steps = play(tower, (Plays((0,)), Watches((100,))), (NormFollower(weight=100, error=0), NormKeeper()))
    effort = steps.move[:, 0, 1][steps.which[:, 0, 1] == 0]
    assert effort[0] >= 60
    stock = steps.facts["stock"][0, 0]
    assert abs(effort[1] - 50 * (1 - stock / 100)) < 1  # reach x effort = r (1 - R / K), r = 0.25, reach = 0.5


def test_proposals_fall_with_the_stock_and_rise_with_it():
    tower = Norm(Pool(seats=1, rounds=4))
    falls = play(tower, (Plays((100,)), NormProposer(error=0, step=7)))
    assert np.diff(falls.move[::2, 0, 0]).tolist() == [-7, -7, -7]
    rises = play(Norm(Pool(seats=1, rounds=4, initial=20)), (Plays((0,)), NormProposer(nature="altruistic", error=0, step=7)))
    assert np.diff(rises.move[::2, 0, 0]).tolist() == [7, 7, 7]
