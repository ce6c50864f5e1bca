"""Monitoring, played out."""

import numpy as np
import pytest
from towers import Lines, Plays, asked, asks, play, turns, unchanged

from commonage.errors import SpecError
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.games.pool import Pool
from commonage.mechanisms.monitor import Monitor
from commonage.mechanisms.norm import Norm
from commonage.mechanisms.talk import Talk
from commonage.policies.graduated_monitor import GraduatedMonitor
from commonage.policies.random import Random

C, D = 0, 1
ALWAYS, NEVER = 100, 0


class Watches(Lines):
    """Chances to check and to fine, in turn; only the former where that is 0."""

    game = "monitor"


LIMITED = Monitor(Norm(Pool(seats=2, rounds=2), every=0, limit=30))


def test_whoever_breaks_the_norm_and_is_checked_is_fined():
    """The norm is 30 per cent. Seat 1 puts in 80, seat 2 just 30; both check and fine."""
    harvest, check, fine = turns(LIMITED, [80, 30], [ALWAYS, ALWAYS], [ALWAYS, ALWAYS])
    assert (asks(LIMITED, harvest.state), asks(LIMITED, check.state), asks(LIMITED, fine.state)) == ([1, 1], [2, 2], [0, 0])
    assert fine.rewards.tolist() == [-3, -1]
    assert (fine.state.own.spent.tolist(), fine.state.own.fined.tolist()) == ([0, 1], [3, 0])
    assert "Your last check: seat 2 kept the norm. You were fined 3 after the last round." in LIMITED.tell(fine.state, 0)
    assert "Your last check: seat 1 broke the norm." in LIMITED.tell(fine.state, 1)


def test_a_fine_is_told_until_the_next_round_is_over():
    after = turns(LIMITED, [80, 30], [ALWAYS, ALWAYS], [ALWAYS, ALWAYS], [10, 10])[-1]
    assert "fined" not in LIMITED.tell(after.state, 0)
    assert after.state.own.fined.tolist() == [0, 0]


def test_who_does_not_check_is_not_asked_how_often_to_fine():
    _, check = turns(LIMITED, [80, 80], [NEVER, ALWAYS])
    assert asks(LIMITED, check.state) == [-1, 2]
    _, nobody = turns(LIMITED, [80, 80], [NEVER, NEVER])
    assert asks(LIMITED, nobody.state) == [0, 0]


def test_without_a_norm_the_games_own_definition_counts():
    tower = Monitor(Dilemma(rounds=1), cost=2, fine=5)
    steps = play(tower, (Plays((D,)), Watches((ALWAYS, ALWAYS))), (Plays((C,)), Watches((ALWAYS, ALWAYS))))
    assert asked(tower, steps) == ["choose", "check", "fine"]
    assert steps.rewards[:, 0].tolist() == [[5, 0], [0, 0], [-5, -2]]
    assert "did not cooperate" in tower.adds(0)


def test_chances_are_chances():
    """A check of 1 in 2 and a fine of 1 in 4: an eighth of 4,000 defections is fined, give or take 4 standard errors."""
    tower = Monitor(Dilemma(rounds=1))
    steps = play(tower, (Plays((D,)), Watches((0,))), (Plays((C,)), Watches((50, 25))), matches=4000)
    fined = (steps.facts["monitor.fined"][..., 0] > 0).any(0).mean()
    assert abs(fined - 1 / 8) < 4 * np.sqrt(1 / 8 * 7 / 8 / 4000)


def test_everybody_else_is_checked_alike():
    tower = Monitor(Commons(seats=4))
    whom = [turns(tower, [0] * 4, [ALWAYS] * 4, [NEVER] * 4, [0] * 4, [ALWAYS] * 4, [NEVER] * 4)[i].state.own.whom for i in (2, 5)]
    assert all((row != np.arange(4)).all() for row in whom)
    assert whom[0].tolist() != whom[1].tolist()  # drawn anew


def test_graduated_sanctions_rise_with_every_breach_found():
    """Seat 1 defects for ever: checked each round, fined with 0, 50, then 100 per cent."""
    tower = Monitor(Dilemma(rounds=3))
    steps = play(tower, Plays((D,)), (Plays((C,)), GraduatedMonitor(first=0, more=50)))
    assert steps.move[2::3, 0, 1].tolist() == [0, 50, 100]
    assert steps.move[1::3, 0, 1].tolist() == [100, 100, 100]


def test_nobody_checks_and_nothing_changes():
    unchanged(Dilemma(), Monitor(Dilemma(), cost=2, fine=9), Random(), Random())
    unchanged(Pool(seats=3, rounds=4), Talk(Monitor(Norm(Pool(seats=3, rounds=4)))), Random(), Random(), Random())


@pytest.mark.parametrize("field", ["cost", "fine"])
def test_wrong_parameters(field):
    with pytest.raises(SpecError, match=f"{field} must be at least 0"):
        Monitor(Dilemma(), **{field: -1})
