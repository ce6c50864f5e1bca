"""Punishment, played out."""

import numpy as np
import pytest
from towers import Fines, Plays, asked, asks, play, turns, unchanged

from commonage.errors import SpecError
from commonage.games.coin_game import CoinGame
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.mechanisms.contract import Contract
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk
from commonage.policies.cheat import Cheat
from commonage.policies.fine_overusers import FineOverusers
from commonage.policies.greedy import Greedy
from commonage.policies.pledger import Pledger
from commonage.policies.random import Random
from commonage.policies.signer import Signer
from commonage.policies.sustainer import Sustainer
from commonage.policies.tit_for_tat import TitForTat

C, D = 0, 1
MOVE, FINE, UNITS = "choose", "fine whom", "units"


def test_one_unit_costs_1_and_takes_3():
    steps = play(Punish(Dilemma(rounds=2)), Plays((D,)), (Plays((C,)), Fines((1, 0))))
    assert asked(Punish(Dilemma()), steps) == [MOVE, FINE, UNITS, MOVE, FINE]
    assert steps.rewards[:, 0].tolist() == [[5, 0], [0, 0], [-3, -1], [5, 0], [0, 0], [0, 0]]
    assert steps.facts["punish.spent"][:, 0].tolist() == [[0, 0], [0, 0], [0, 1], [0, 0], [0, 0], [0, 0]]
    assert steps.facts["punish.fined"][:, 0].tolist() == [[0, 0], [0, 0], [3, 0], [0, 0], [0, 0], [0, 0]]
    assert steps.forced[:, 0].tolist() == [[False, False], [False, False], [False, True]] + [[False, False]] * 3  # most = 1


def test_how_many_units_is_a_second_question():
    """Seat 1 fines seat 3 by 4 units, seats 2 and 3 fine seat 1 by 1 and 2; a unit costs 2 and takes 5."""
    tower = Punish(Commons(seats=3), cost=2, fine=5, most=4)
    harvest, whom, units = turns(tower, [0, 0, 0], [3, 1, 1], [3, 0, 1])
    assert asks(tower, harvest.state) == [1, 1, 1]
    assert asks(tower, whom.state) == [2, 2, 2]
    assert units.rewards.tolist() == [-4 * 2 - 3 * 5, -1 * 2, -2 * 2 - 4 * 5]
    facts = tower.facts(units.state)
    assert (facts["punish.spent"].tolist(), facts["punish.fined"].tolist()) == ([8, 2, 4], [15, 0, 20])
    assert "You were fined 15" in tower.tell(units.state, 0)
    assert "fined" not in tower.tell(units.state, 1).replace(tower.game.tell(units.state.game, 1), "")


def test_a_fine_is_told_until_the_next_round_is_over():
    tower = Talk(Punish(Dilemma()))
    told = [tower.tell(turn.state, 0) for turn in turns(tower, [0, 0], [D, C], [0, 1], [-1, 0], [0, 0], [D, C], [0, 1], [-1, 0])]
    fined = ["You were fined 3 after the last round." in text for text in told]
    assert fined == [False, False, False, True, True, False, False, True]
    seen = tower.sights(turns(tower, [0, 0], [D, C], [0, 1], [-1, 0])[-1].state)["punish"].fined
    assert np.asarray(seen).tolist() == [3, 0]


def test_with_more_than_one_unit_nothing_is_forced():
    steps = play(Punish(Dilemma(rounds=1), most=2), Plays((D,)), (Plays((C,)), Fines((1, 1))))
    assert steps.rewards[:, 0].tolist() == [[5, 0], [0, 0], [-6, -2]]
    assert not steps.forced.any()


def test_who_fines_nobody_is_not_asked_how_much():
    tower = Punish(Commons(seats=3))
    whom = turns(tower, [0, 0, 0], [0, 3, 0])[1]
    assert asks(tower, whom.state) == [-1, 2, -1]
    assert asks(tower, turns(tower, [0, 0, 0], [0, 0, 0])[1].state) == [0, 0, 0]


def test_nobody_fines_oneself():
    legal = Punish(Dilemma()).ask(turns(Punish(Dilemma()), [C, C])[0].state).legal
    assert legal.options.tolist() == [[True, False, True], [True, True, False]]


def test_a_collapse_is_fined_too():
    tower = Punish(Commons(seats=2))
    steps = play(tower, Greedy(), (Sustainer(), FineOverusers()))
    assert asked(tower, steps) == ["harvest", FINE, UNITS]
    assert steps.ended[:3, 0].tolist() == [False, False, True]
    assert steps.rewards[2, 0].tolist() == [-3, -1]


def test_the_worst_deed_of_a_round_of_many_steps_is_known():
    """Seat 1 of a coin game harms the other in the first of two steps and is good in the second."""
    tower = Punish(CoinGame(rounds=2, round_steps=2))
    known = [tower.sights(turn.state)["punish"].deeds for turn in turns(tower, *_walk(tower, 8))]
    deeds = [turn.deeds for turn in turns(tower, *_walk(tower, 8))]
    worst = np.fmin(deeds[0], deeds[1])
    np.testing.assert_array_equal(np.asarray(known[1]), [worst, worst])
    np.testing.assert_array_equal(np.asarray(known[2]), [worst, worst])  # while they fine
    np.testing.assert_array_equal(np.asarray(known[3])[0], deeds[3])  # a new round, after nobody was fined


def _walk(tower, steps):
    """Rows of moves of two steps, then nobody fined, again and again."""
    rows = np.random.default_rng(3).integers(0, 5, (steps, 2)).tolist()
    return [[0, 0] if i % 3 == 2 else row for i, row in enumerate(rows)]


def test_what_was_fined_is_counted_once_whatever_stands_around_it():
    """A later layer's own steps don't repeat what the last step moved: sums over the steps stay right."""
    players = [(Random(), FineOverusers(), Pledger(), Signer())] * 2
    bare = play(Punish(Dilemma()), *players, matches=5)
    for tower in (Talk(Punish(Dilemma())), Talk(Contract(Punish(Dilemma())), when="after")):
        steps = play(tower, *players, matches=5)
        for fact in ("punish.spent", "punish.fined"):
            counted = lambda record, fact=fact: (record.facts[fact] * record.live[..., None]).sum(0)
            np.testing.assert_array_equal(counted(steps), counted(bare))
        assert (counted(steps).sum(-1) > 0).any()


def test_fining_nobody_changes_nothing():
    unchanged(Dilemma(), Punish(Dilemma(), cost=2, fine=9, most=3), Random(), TitForTat())
    unchanged(Commons(), Punish(Commons()), Random(), Cheat(), *[Sustainer()] * 3)


@pytest.mark.parametrize(("field", "value"), [("cost", -1), ("fine", -1), ("most", 0)])
def test_wrong_parameters(field, value):
    with pytest.raises(SpecError, match=f"{field} must be at least"):
        Punish(Dilemma(), **{field: value})
