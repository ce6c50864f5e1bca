"""The ultimatum game, played out."""

import numpy as np
import pytest
from played import ask, holds, look, match, start, turns

from commonage.errors import SpecError
from commonage.games.ultimatum import Ultimatum
from commonage.policies.bargainer import Bargainer

GAME = Ultimatum()
ACCEPT, REJECT = 0, 1


def test_an_offer_accepted():
    offer, answer = turns(GAME, [4, -1], [-1, ACCEPT])
    assert (offer.rewards.tolist(), answer.rewards.tolist()) == ([0, 0], [6, 4])
    np.testing.assert_allclose(offer.deeds, [0.8, np.nan], rtol=1e-6)
    assert (bool(offer.round_over), bool(answer.round_over)) == (False, True)


def test_an_offer_rejected():
    """Rejecting punishes, and is no deed: neither cooperation nor defection."""
    _, answer = turns(GAME, [1, -1], [-1, REJECT])
    assert answer.rewards.tolist() == [0, 0]
    assert np.isnan(answer.deeds).all()


def test_offering_more_than_half_is_no_more_than_cooperative():
    assert [float(turns(GAME, [offer, -1])[0].deeds[0]) for offer in (0, 5, 6, 10)] == [0, 1, 1, 1]


def test_who_is_asked_what():
    offering, answering = start(GAME), turns(GAME, [4, -1])[0].state
    assert ask(GAME, offering).which.tolist() == [0, -1]
    assert ask(GAME, offering).legal.size.tolist() == [11, 11]
    assert ask(GAME, answering).which.tolist() == [-1, 1]
    assert ask(GAME, answering).legal.size.tolist() == [2, 2]


def test_a_small_pie():
    """The two answers are more than the offers 0 and 1 are not."""
    game = Ultimatum(pie=1, rounds=1)
    assert turns(game, [1, -1], [-1, ACCEPT])[1].rewards.tolist() == [0, 1]


def test_lasts_for_its_rounds():
    game = Ultimatum(rounds=2)
    ends = [(bool(t.round_over), bool(t.truncated)) for t in turns(game, [4, -1], [-1, 0], [4, -1], [-1, 0])]
    assert ends == [(False, False), (True, False), (False, False), (True, True)]
    assert game.max_steps == 4


def test_swapped_roles():
    game = Ultimatum(swap=True)
    rows = [[4, -1], [-1, ACCEPT], [-1, 3], [REJECT, -1], [2, -1], [-1, ACCEPT]]
    played = turns(game, *rows)
    assert [t.rewards.tolist() for t in played[1::2]] == [[6, 4], [0, 0], [8, 2]]
    np.testing.assert_allclose(played[2].deeds, [np.nan, 0.6], rtol=1e-6)
    assert ask(game, played[1].state).which.tolist() == [-1, 0]
    assert ask(game, played[2].state).which.tolist() == [1, -1]
    assert turns(game, *rows[:2], [-1, 3], [ACCEPT, -1])[3].rewards.tolist() == [3, 7]


def test_words_say_what_the_sight_shows():
    played = turns(GAME, [4, -1], [-1, REJECT], [5, -1])
    first, answering, second, again = start(GAME), *(turn.state for turn in played)
    assert GAME.tell(first, 0) == "Round 1. You are the proposer."
    assert GAME.tell(answering, 1) == "Round 1. You are the responder. This round you were offered 4 of 10."
    assert GAME.tell(second, 0) == "Round 2. You are the proposer. Last round you offered 4 of 10; it was rejected."
    assert GAME.tell(again, 1) == (
        "Round 2. You are the responder. Last round you were offered 4 of 10; it was rejected. This round you were offered 5 of 10."
    )
    sight = look(GAME, again)
    assert [rows.tolist() for rows in sight] == [[1, 1], [0, 1], [1, 1], [5, 5], [4, 4], [1, 1]]
    assert look(GAME, first).offer.tolist() == [-1, -1]


def test_words_with_swapped_roles():
    game = Ultimatum(swap=True, rounds=2)
    states = [turn.state for turn in turns(game, [4, -1], [-1, ACCEPT], [-1, 3], [ACCEPT, -1])]
    assert game.tell(states[1], 0) == "Round 2. You are the responder. Last round you offered 4 of 10; it was accepted."
    assert game.tell(states[2], 1) == (
        "Round 2. You are the proposer. Last round you were offered 4 of 10; it was accepted. This round you offered 3 of 10."
    )
    assert game.tell(states[3], 0) == "The 2 rounds are over. Last round you were offered 3 of 10; it was accepted."
    assert look(game, states[2]).role.tolist() == [1, 0]
    assert "You are the responder in the first round; then the two change roles" in game.rules(1)
    assert GAME.rules(1).endswith("You are the responder.")


def test_facts_tell_of_the_round_just_played():
    facts = [{k: int(v) for k, v in GAME.facts(t.state).items()} for t in turns(GAME, [4, -1], [-1, REJECT], [5, -1], [-1, ACCEPT])]
    assert facts == [{"offer": 4, "accepted": -1}, {"offer": 4, "accepted": 0}, {"offer": 5, "accepted": -1}, {"offer": 5, "accepted": 1}]
    assert GAME.facts(start(GAME))["accepted"] == -1


@pytest.mark.parametrize(("offer", "least", "totals"), [(5, 3, [50, 50]), (3, 3, [70, 30]), (2, 3, [0, 0]), (0, 0, [100, 0])])
def test_bargainers(offer, least, totals):
    assert match(GAME, Bargainer(offer=offer), Bargainer(least=least)).rewards.sum(0).tolist() == totals


def test_bargainers_in_changing_roles():
    steps = match(Ultimatum(rounds=2, swap=True), Bargainer(offer=4, least=6), Bargainer(offer=5, least=4))
    assert steps.move.tolist() == [[4, -1], [-1, ACCEPT], [-1, 5], [REJECT, -1]]


@pytest.mark.parametrize("swap", [False, True])
def test_no_search_breaks_a_bound(swap):
    holds(Ultimatum(rounds=5, pie=7, swap=swap), reached=True)


def test_bounds_are_reached():
    assert {(o.measure, o.side): o.value for o in GAME.oracles()} == {
        ("welfare_sum", "floor"): 0,
        ("welfare_sum", "ceiling"): 100,
        ("gain", "floor"): 0,
        ("gain", "ceiling"): 50,
    }
    assert GAME.yardsticks() == {"welfare": 100}


def test_bad_parameters_say_the_rule():
    with pytest.raises(SpecError, match="pie must be between"):
        Ultimatum(pie=0)


def test_scene_shows_who_gets_what():
    game = Ultimatum(swap=True)
    text = lambda state: [shape["text"] for shape in game.scene(state)]
    states = [turn.state for turn in turns(game, [4, -1], [-1, ACCEPT], [-1, 3], [REJECT, -1])]
    assert text(start(game)) == ["", ""]
    assert [text(state) for state in states] == [["6", "4"], ["6", "4"], ["3", "7"], ["3", "7"]]
    assert [game.scene(state)[0]["fill"] for state in states] == ["idle", "good", "idle", "bad"]
