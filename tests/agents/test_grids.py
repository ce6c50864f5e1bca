"""Worlds on grids for models and people: in words, with talk between rounds."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from thinkers import Thinker, asked, play

from commonage import Study

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
