"""Moral points of view: words that everybody is told, and nothing else."""

import pytest
from towers import turns, unchanged

from commonage import spec
from commonage.errors import SpecError, Unfit
from commonage.games.commons import Commons
from commonage.mechanisms.moral import NUMBERED, WORDS, Moral
from commonage.policies.random import Random


def test_universalization_tells_the_number_of_this_month() -> None:
    game = Moral(Commons(), framing="universalization")
    first, second = turns(game, [12] * 5, [0] * 5)
    assert game.tell(first.state, 0).endswith("If everybody takes more than 8 tons of fish now, there will be less next time.")
    assert "more than 10 tons" in game.tell(second.state, 4)


def test_the_number_is_that_of_those_who_are_there() -> None:
    game = Moral(Commons(newcomers=1, arrival=2), framing="universalization")
    (turn,) = turns(game, [0, 0, 0, 0, -1])
    assert "more than 10" in game.tell(turn.state, 0)


@pytest.mark.parametrize("framing", sorted(set(WORDS["en"]) - {"universalization"}))
def test_the_others_have_no_number_in_them(framing: str) -> None:
    for language in WORDS:
        text = WORDS[language][framing]
        assert NUMBERED not in text
        assert not any(char.isdigit() for char in text)
        assert Moral(Commons(language=language), framing=framing).says == text


def test_the_languages_have_the_same_framings() -> None:
    assert WORDS["en"].keys() == WORDS["ja"].keys()


def test_words_of_ones_own() -> None:
    game = Moral(Commons(), text="Remember {share} winters.")
    assert game.tell(turns(game, [0] * 5)[0].state, 0).endswith("\nRemember {share} winters.")


def test_it_plays_like_the_game_alone() -> None:
    unchanged(Commons(), Moral(Commons()), *[Random()] * 5)


def test_what_it_refuses() -> None:
    with pytest.raises(SpecError, match="framing must be one of universalization"):
        Moral(Commons(), framing="egoism")
    with pytest.raises(Unfit, match=r"moral\(framing=universalization\) tells of the sustainable share, which dilemma has not"):
        spec.game("dilemma", ["moral(framing=universalization)"])
    with pytest.raises(SpecError, match="punish speaks en, not ja: leave it out, or set language=en"):
        spec.game("commons(language=ja)", ["punish"])
