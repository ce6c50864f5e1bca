"""The trust game, played out."""

import numpy as np
import pytest
from played import ask, holds, look, match, start, turns

from commonage.errors import SpecError
from commonage.games.trust import Trust
from commonage.policies.truster import Truster

GAME = Trust()


def test_a_round():
    """10 points; 6 sent become 18, of which 8 come back (Berg, Dickhaut & McCabe 1995)."""
    sent, returned = turns(GAME, [6, -1], [-1, 8])
    assert (sent.rewards.tolist(), returned.rewards.tolist()) == ([0, 0], [12, 10])
    np.testing.assert_allclose(sent.deeds, [0.6, np.nan], rtol=1e-6)
    np.testing.assert_allclose(returned.deeds, [np.nan, 16 / 18], rtol=1e-6)
    assert (bool(sent.round_over), bool(returned.round_over)) == (False, True)


@pytest.mark.parametrize(("returns", "payoffs", "deed"), [(0, [0, 30], 0), (15, [15, 15], 1), (20, [20, 10], 1), (30, [30, 0], 1)])
def test_all_sent(returns, payoffs, deed):
    turn = turns(GAME, [10, -1], [-1, returns])[1]
    assert turn.rewards.tolist() == payoffs
    assert turn.deeds[1] == deed


def test_nothing_sent_leaves_nothing_to_do():
    sent, returned = turns(GAME, [0, -1], [-1, 0])
    asked = ask(GAME, sent.state)
    assert asked.which.tolist() == [-1, 1]
    assert (int(asked.legal.low[1]), int(asked.legal.high[1])) == (0, 0)
    assert returned.rewards.tolist() == [10, 0]
    assert np.isnan(returned.deeds).all()
    assert sent.deeds[0] == 0
    steps = match(GAME, Truster(send=0), Truster())
    assert steps.forced[:2].tolist() == [[False, False], [False, True]]


def test_who_is_asked_what():
    asked = ask(GAME, start(GAME))
    assert asked.which.tolist() == [0, -1]
    assert asked.legal.size.tolist() == [11, 11]
    asked = ask(GAME, turns(GAME, [4, -1])[0].state)
    assert asked.which.tolist() == [-1, 1]
    assert (int(asked.legal.low[1]), int(asked.legal.high[1])) == (0, 12)


def test_lasts_for_its_rounds():
    game = Trust(rounds=2)
    ends = [(bool(t.round_over), bool(t.truncated)) for t in turns(game, [4, -1], [-1, 0], [4, -1], [-1, 0])]
    assert ends == [(False, False), (True, False), (False, False), (True, True)]


def test_words_say_what_the_sight_shows():
    states = [start(GAME), *(turn.state for turn in turns(GAME, [6, -1], [-1, 8], [5, -1]))]
    assert GAME.tell(states[0], 0) == "Round 1. You are the investor."
    assert GAME.tell(states[1], 1) == "Round 1. You are the trustee. This round the investor sent 6 and you received 18."
    assert GAME.tell(states[2], 0) == "Round 2. You are the investor. Last round you sent 6, the trustee received 18 and returned 8."
    assert GAME.tell(states[3], 1) == (
        "Round 2. You are the trustee. Last round the investor sent 6, you received 18 and returned 8. "
        "This round the investor sent 5 and you received 15."
    )
    sight = look(GAME, states[3])
    assert {name: rows.tolist() for name, rows in sight._asdict().items()} == {
        "clock": [1, 1],
        "role": [0, 1],
        "asked": [1, 1],
        "sent": [5, 5],
        "received": [15, 15],
        "last_sent": [6, 6],
        "last_received": [18, 18],
        "last_returned": [8, 8],
    }
    assert look(GAME, states[0]).received.tolist() == [-1, -1]
    game = Trust(rounds=1)
    over = turns(game, [6, -1], [-1, 8])[-1].state
    assert game.tell(over, 1).startswith("The 1 rounds are over. You are the trustee.")
    assert "receives 3 times what was sent" in game.rules(0)
    assert game.rules(1).endswith("You are the trustee.")


def test_facts_tell_of_the_round_just_played():
    facts = [{k: int(v) for k, v in GAME.facts(t.state).items()} for t in turns(GAME, [6, -1], [-1, 8], [5, -1])]
    assert facts == [{"sent": 6, "returned": -1}, {"sent": 6, "returned": 8}, {"sent": 5, "returned": -1}]


@pytest.mark.parametrize(
    ("send", "give_back", "totals"),
    [(10, 50, [150, 150]), (10, 0, [0, 300]), (10, 100, [300, 0]), (0, 50, [100, 0]), (5, 50, [130, 70]), (99, 50, [150, 150])],
)
def test_trusters(send, give_back, totals):
    """5 sent become 15, of which half, to the nearest point, is 8."""
    assert match(GAME, Truster(send=send), Truster(give_back=give_back)).rewards.sum(0).tolist() == totals


@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_no_search_breaks_a_bound(multiplier):
    holds(Trust(rounds=4, endowment=6, multiplier=multiplier), reached=True)


def test_bounds_are_reached():
    assert {(o.measure, o.side): o.value for o in GAME.oracles()} == {
        ("welfare_sum", "floor"): 100,
        ("welfare_sum", "ceiling"): 300,
        ("gain", "floor"): 50,
        ("gain", "ceiling"): 150,
    }
    assert GAME.yardsticks() == {"welfare": 300}


def test_bad_parameters_say_the_rule():
    with pytest.raises(SpecError, match="multiplier must be between 1 and 10"):
        Trust(multiplier=0)


def test_scene_shows_what_each_holds():
    states = [start(GAME), *(turn.state for turn in turns(GAME, [6, -1], [-1, 8]))]
    assert [[shape["text"] for shape in GAME.scene(state)] for state in states] == [["10", "0"], ["4", "18"], ["12", "10"]]
