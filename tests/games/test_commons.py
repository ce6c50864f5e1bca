"""The commons, played out: a newcomer, two languages. Its closed forms stand in `verify`."""

import numpy as np
import pytest
from played import ask, look, match, start, turns

from commonage import Study
from commonage.errors import SpecError
from commonage.games.commons import Commons
from commonage.games.commons.words import SKINS, WORDS
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk
from commonage.policies.greedy import Greedy
from commonage.policies.sustainer import Sustainer

NEWCOMER = Commons(rounds=15, newcomers=1)  # the fifth seat comes in month 4
ABSENT = [0, 0, 0, 0, -1]


def test_the_threshold_changes_at_once_when_the_newcomer_comes() -> None:
    """100 tons, 50 may go: 12 each for four people, 10 each for five."""
    states = [start(NEWCOMER), *(turn.state for turn in turns(NEWCOMER, ABSENT, ABSENT, ABSENT, [0] * 5))]
    assert [look(NEWCOMER, state).share.tolist() for state in states] == [[12] * 5] * 3 + [[10] * 5] * 2
    assert [int(state.threshold) for state in states] == [12, 12, 12, 12, 10]  # of the month just played
    assert [ask(NEWCOMER, state).which.tolist() for state in states] == [[0, 0, 0, 0, -1]] * 3 + [[0] * 5] * 2


def test_a_harvest_is_judged_by_those_who_were_there() -> None:
    third, fourth = turns(NEWCOMER, ABSENT, ABSENT, [12, 12, 12, 13, -1], [10, 11, 10, 10, 12])[2:]
    np.testing.assert_array_equal(third.deeds, [1, 1, 1, 0, np.nan])
    np.testing.assert_array_equal(fourth.deeds, [1, 0, 1, 1, 0])


def test_residents_do_not_know_of_the_newcomer_before() -> None:
    rules = [NEWCOMER.rules(seat) for seat in range(5)]
    assert all(text.startswith("4 people share a lake") and "join" not in text for text in rules[:4])
    assert rules[4].startswith("5 people share a lake")
    assert rules[4].endswith("You join in month 4; the others are there from the start.")
    state = turns(NEWCOMER, [1, 1, 1, 1, -1], [1, 1, 1, 1, -1], [3, 4, 5, 6, -1])[2].state
    assert "5 people share it now." in NEWCOMER.tell(state, 0)
    assert "5 people" not in NEWCOMER.tell(turns(NEWCOMER, ABSENT)[0].state, 0)
    assert NEWCOMER.tell(state, 4).endswith("The others: seat 1 took 3, seat 2 took 4, seat 3 took 5, seat 4 took 6.")
    assert "Last month you took" not in NEWCOMER.tell(state, 4)


def test_the_newcomer_keeps_its_seat_in_every_repeat() -> None:
    assert NEWCOMER.roles == ("resident",) * 4 + ("newcomer",)
    assert Commons().roles == ()


def test_who_is_not_there_is_not_talked_with_nor_fined() -> None:
    talk = Talk(NEWCOMER, order="floor")
    asked = ask(talk, start(talk))
    assert asked.which[4] == -1
    (named,) = turns(talk, np.where(np.asarray(asked.which) >= 0, 0, -1).tolist())
    floor = int(named.state.own.floor)
    assert not ask(talk, named.state).legal.options[floor, 5]  # seat 5 cannot be named
    punish = Punish(NEWCOMER)
    (harvest,) = turns(punish, ABSENT)
    whom = ask(punish, harvest.state)
    assert whom.which.tolist() == [1, 1, 1, 1, -1]
    assert whom.legal.options[0].tolist() == [True, False, True, True, True, False]


def test_a_greedy_newcomer_ends_it() -> None:
    steps = match(NEWCOMER, *[Sustainer()] * 4, Greedy())
    assert steps.live.sum() == 4
    assert steps.ended[3]
    kind = match(NEWCOMER, *[Sustainer()] * 5)
    assert kind.live.sum() == 15
    assert kind.rewards.sum() == 3 * 48 + 12 * 50


def test_the_reference_is_what_sharing_reaches() -> None:
    for game in (NEWCOMER, Commons(), Commons(seats=6), Commons(capacity=77, rounds=5)):
        shared = match(game, *[Sustainer()] * game.seats).rewards.sum() / game.seats
        reference = next(oracle.value for oracle in game.oracles() if oracle.label == "reference")
        assert reference == pytest.approx(shared)


def test_a_collapse_in_the_last_month_is_no_survival(tmp_path) -> None:
    measures = Study("commons", "sustainer(last=12)*5", repeats=2).run(tmp_path / "log").summary()["arms"][0]["measures"]
    assert (measures["survival_time"]["mean"], measures["survival_rate"]["mean"]) == (12, 0)


def test_every_language_has_every_word() -> None:
    for words in WORDS.values():
        assert words.skins.keys() == SKINS.keys()
        assert all(text for name, text in words._asdict().items() if name != "gap")


@pytest.mark.parametrize("skin", SKINS)
def test_in_japanese(skin: str) -> None:
    game = Commons(skin=skin, language="ja")
    state = turns(game, [1, 2, 3, 4, 5])[0].state
    text = game.rules(0) + game.tell(state, 2)
    assert "2か月目" in text
    assert "先月、あなたは3を取りました。" in text
    assert "{" not in text
    assert not any("a" <= char <= "z" for char in text)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"language": "fr"}, "language must be one of en, ja"),
        ({"newcomers": 5}, "newcomers must be fewer than the seats, which are 5"),
        ({"newcomers": 1, "arrival": 1}, "arrival must be a month from 2 on"),
    ],
)
def test_what_it_refuses(fields: dict, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        Commons(**fields)
