"""Worlds on grids for models and people: in words, with talk between rounds."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from thinkers import Thinker, asked, play

from commonage import Study, event
from commonage.agents.llm import Llm
from commonage.grid.orchard import CLEAN
from commonage.run.replay import replay
from commonage.teams.guide import Guide

SMALL = "cleanup(seats=3,rounds=2,round_steps=3)"


def test_talk_stands_between_the_rounds_of_a_grid(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy, a model and a person; the person and the model say something before each round of three steps."""
    lines = ["in words: I clean", "forward", "clean", "turn left", "nothing", "stay", "zap", "right"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    words = lambda messages: "in words: and I eat" if asked(messages) == "say" else "stay"
    played = play(SMALL, "forager", Thinker(words), "human", mechanisms=["talk"])
    assert played.outcome.status == "finished"
    said = [row[-1].says for row in played.rows if getattr(row[-1], "says", "")]
    assert said == ["and I eat", "I clean", "and I eat"]
    assert "and I eat" in capsys.readouterr().err
    assert any("I clean" in prompt[-1].text for prompt in played.prompts(1))


def test_a_model_reads_where_it_stands_and_what_lies_around() -> None:
    seen: list[str] = []

    def looks(messages: Any) -> str:
        seen.append(messages[-1].text)
        return "forward"

    assert play(SMALL, Thinker(looks), "river_cleaner", "forager").outcome.status == "finished"
    assert len(seen) == 6
    assert all(re.search(r"You stand at row \d+, column \d+, and face (north|east|south|west)\.", text) for text in seen)


@pytest.mark.slow
def test_the_test_model_plays_two_hundred_steps_of_cleanup(tmp_path) -> None:
    """Beside six scripted players; it was never taught this game, so it decides among the options, and none is invented."""
    result = Study("cleanup(rounds=4)", "llm:pocket(verb=decide,memory=last(3)),river_cleaner*2,forager*4", repeats=1).run(tmp_path / "log")
    assert result.status == {"finished": 1}
    mine = result.events().filter(seat=0)
    assert mine["kind"].unique().to_list() == ["moved"]
    away = result.tables.moves.filter(seat=0)["move"].to_list().count(-1)
    assert mine.height + away == 200


def test_a_guided_model_is_asked_for_goals_and_led_to_them() -> None:
    """It cleans: a call for a goal, and moves of its own until a cell is clean."""
    offered: list[str] = []

    def wants(messages: Any) -> str:
        offered.append(messages[-1].text.split("exactly one of: ")[-1])
        return "clean the nearest dirt" if "clean the nearest dirt" in offered[-1] else "look around"

    seat = Guide(Llm(Thinker(wants), memory="last(2)"), steps=12)
    played = play("cleanup(seats=3,rounds=1,round_steps=40)", seat, "forager", "forager")
    assert played.outcome.status == "finished"
    moves = [row[-1] for row in played.rows if row[1] == 0 and isinstance(row[-1], event.Moved)]
    assert len(moves) == 40
    assert 2 <= len(offered) < 30, "a call for several moves"
    assert sum(move.move == CLEAN for move in moves) >= 1
    assert all(text.startswith("wait, look around") for text in offered)


def test_what_a_guided_model_may_not_want_is_no_move() -> None:
    """`forward` is a move, but no goal; an apple can be wanted only where one is in view."""
    for said in ("forward", "go to the nearest apple"):
        played = play("cleanup(seats=2,rounds=1,round_steps=3)", Guide(Llm(Thinker(lambda _, said=said: said))), "forager")
        assert played.outcome.status == "failed"
        assert f"the last line was {said!r}; it must be exactly one of: wait, look around" in played.outcome.what


def test_a_guided_seat_is_replayed(tmp_path) -> None:
    """Replayed from its log without a call, to the same rewards."""
    study = Study("cleanup(seats=2,rounds=1,round_steps=30)", "guide(llm:fake(memory=last(2)),steps=4),forager", repeats=1)
    result = study.run(tmp_path / "log")
    assert result.status == {"finished": 1}
    assert replay(tmp_path / "log", 1).differing == []
    assert result.accounting[0]["wrong"] == [], "what it is led through is not asked of it"


def test_a_guided_model_cooks() -> None:
    """A mind of five lines that only names errands serves soups beside somebody who stands still; it is asked far less than once a step."""
    calls: list[str] = []

    def wants(messages: Any) -> str:
        calls.append(messages[-1].text)
        offered = calls[-1].split("exactly one of: ")[-1].splitlines()[0].split(", ")
        cooks = "ready in" in calls[-1] or ", ready" in calls[-1]
        wishes = ["serve it", "take a soup", "put it into a pot", "fetch a dish" if cooks else "fetch an onion", "put it down", "wait"]
        return next(wish for wish in wishes if wish in offered)

    played = play("kitchen(rounds=2,round_steps=60)", Guide(Llm(Thinker(wants), memory="last(1)"), steps=30), "constant(amount=4)")
    assert played.outcome.status == "finished"
    assert sum(row[-1].rewards[0] for row in played.rows if isinstance(row[-1], event.Stepped)) >= 40
    assert len(calls) < 60
