"""Talk, played out."""

import numpy as np
import pytest
from towers import Fines, Plays, Says, asked, asks, ours, play, turns, unchanged

from commonage.errors import SpecError
from commonage.game import layers
from commonage.games.coin_game import CoinGame
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk
from commonage.policies.cheat import Cheat
from commonage.policies.fine_overusers import FineOverusers
from commonage.policies.greedy import Greedy
from commonage.policies.pledger import Pledger
from commonage.policies.random import Random
from commonage.policies.sustainer import Sustainer
from commonage.policies.tit_for_tat import TitForTat

TALK, MOVE, FINE, UNITS = "say", "choose", "fine whom", "units"
C, D = 0, 1


def phases(tower, fines=True):
    """What is asked in two rounds of a dilemma in which seat 1 defects and seat 2 fines it, or doesn't."""
    return asked(tower, play(tower, Plays((D,)), (Plays((C,)), Fines((1,))) if fines else Plays((C,))))


@pytest.mark.parametrize("tower", [Talk(Punish(Dilemma(rounds=2))), Punish(Talk(Dilemma(rounds=2)))])
def test_before_the_round_the_order_of_the_layers_does_not_matter(tower):
    assert phases(tower) == [TALK, MOVE, FINE, UNITS] * 2
    assert phases(tower, fines=False) == [TALK, MOVE, FINE] * 2


def test_after_the_round_the_outer_layer_comes_last():
    outside, inside = Talk(Punish(Dilemma(rounds=2)), when="after"), Punish(Talk(Dilemma(rounds=2), when="after"))
    assert phases(outside) == [MOVE, FINE, UNITS, TALK, MOVE, FINE, UNITS]
    assert phases(inside) == [MOVE, TALK, FINE, UNITS, MOVE, FINE, UNITS]


def test_two_talks():
    tower = Talk(Talk(Dilemma(rounds=2), when="after"))
    assert [layer.label for layer in layers(tower)] == ["dilemma", "talk", "talk#2"]
    steps = play(tower, (Plays(), Pledger()), Plays())
    assert asked(tower, steps) == [TALK, MOVE, TALK, TALK, MOVE]
    assert steps.which[:5, 0, 0].tolist() == [2, 0, 1, 2, 0]


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_collapse_fines_follow_and_talk_does_not(when):
    tower = Talk(Punish(Commons(seats=2)), when=when)
    steps = play(tower, Greedy(), (Sustainer(), FineOverusers()))
    assert asked(tower, steps) == [TALK] * (when == "before") + ["harvest", FINE, UNITS]
    last = steps.live[:, 0].sum() - 1
    assert steps.round_over[:, 0].tolist().index(True) == last
    assert (bool(steps.ended[last, 0]), bool(steps.truncated[last, 0])) == (True, False)
    assert (steps.ended.sum(), steps.truncated.sum()) == (1, 0)


def test_what_is_said_is_heard_until_the_next_word():
    said = turns(Talk(Dilemma()), [2, 3], [C, D], [0, 1])
    assert [turn.state.own.tolist() for turn in said] == [[2, 3], [2, 3], [0, 1]]
    tower = Talk(Dilemma())
    sight = tower.sights(said[1].state)["talk"]
    assert np.asarray(sight.heard).tolist() == [[2, 3], [2, 3]]
    assert tower.tell(said[1].state, 0).endswith('You said: "I will cooperate". Seat 2 said: "I will not cooperate".')
    assert tower.tell(said[2].state, 0).endswith("Seat 2 spoke.")
    assert tower.facts(said[1].state)["talk.said"].tolist() == [2, 3]
    assert all(turn.rewards.tolist() == [0, 0] for turn in (said[0], said[2]))


def test_a_retired_seat_says_nothing():
    tower = Talk(Commons())
    turn = turns(tower, [2, -1, 2, 2, 2])[0]
    assert turn.state.own.tolist() == [2, 0, 2, 2, 2]
    assert asks(tower, turn.state) == [0] * 5


def test_a_pledger_speaks_and_plays_on_as_before():
    game = Talk(Dilemma(rounds=3))
    steps = play(game, (TitForTat(), Pledger()), (Plays((D,)), Says((3, 0, 1))))
    assert steps.move[:, 0].tolist() == [[2, 3], [C, D], [2, 0], [D, D], [2, 1], [D, D]]
    assert steps.round[:, 0].tolist() == [1, 1, 2, 2, 3, 3]
    assert steps.round_over[:, 0].tolist() == [False, True] * 3


def test_without_signals_a_pledger_has_nothing_to_say():
    steps = play(Talk(Dilemma(rounds=1), signals=()), (Plays(), Pledger()), (Plays(), Pledger()))
    assert steps.move[0, 0].tolist() == [0, 0]


def test_a_board_is_talked_over_once_a_round():
    game = Talk(CoinGame(rounds=2, round_steps=3))
    assert asked(game, play(game, Random(), Random())) == [TALK, "move", "move", "move"] * 2
    assert (game.max_steps, game.round_steps) == (8, 4)


def test_words_of_ones_own():
    game = Talk(Dilemma(), signals=("peace",))
    assert game.questions[1].options == ("nothing", "in words", "peace")
    assert game.questions[1].speech
    assert "one thing to all" in game.rules(0)
    with pytest.raises(SpecError, match="when must be before or after"):
        Talk(Dilemma(), when="never")
    for signals in (("peace", "peace"), ("nothing",), ("",)):
        with pytest.raises(SpecError, match="distinct sentences"):
            Talk(Dilemma(), signals=signals)


@pytest.mark.parametrize("when", ["before", "after"])
def test_silence_changes_nothing(when):
    unchanged(Dilemma(), Talk(Dilemma(), when=when), Random(), TitForTat())
    unchanged(Commons(), Talk(Commons(), when=when), Random(), Cheat(), *[Sustainer()] * 3)


def test_cheap_talk_changes_nothing_for_those_who_do_not_listen():
    steps = play(Talk(Dilemma()), (TitForTat(), Pledger()), (Random(), Pledger()), matches=9)
    bare = play(Dilemma(), TitForTat(), Random(), matches=9)
    for match in range(9):
        mine = ours(Talk(Dilemma()), steps, match)
        np.testing.assert_array_equal(steps.move[mine, match], bare.move[:, match])
