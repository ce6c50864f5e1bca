"""GovSim with models at the table: who said what, in which language, what an agreement and an arrival do to the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from thinkers import Thinker, asked, play

from commonage import Study
from commonage.agents.llm import Llm
from commonage.agents.llm.prompts import TEXTS
from commonage.model import Message
from commonage.preset import load

TALK = "talk(when=after,order=floor,turns=9)"


class Speaker(Thinker):
    """Shares, says its own name, hands the floor on, and writes the share down."""

    def __init__(self, name: str) -> None:
        super().__init__(self.answer)
        self.name = name

    def answer(self, messages: Sequence[Message]) -> str:
        text = messages[-1].text
        others = re.findall(r"seat \d", text.split("exactly one of:")[-1])
        return {"say": f"in words: I am {self.name}.", "next": others[0] if others else "nobody"}.get(asked(messages), "10")


def played(path: Any, models: Sequence[Thinker], **options: Any) -> Any:
    seats = [Llm(model, reasoning=False) for model in models]
    return Study("commons(rounds=3)", seats, ["agreement", TALK], repeats=1, **options).run(path)


def test_each_utterance_is_made_by_its_own_seats_model(tmp_path) -> None:
    """In the published code all utterances of a month came from the model of whoever opened the talk."""
    models = [Speaker("ada"), Speaker("ada"), Speaker("bob"), Speaker("bob"), Speaker("bob")]
    result = played(tmp_path / "log", models)
    assert result.status == {"finished": 1}
    said = result.events().filter(kind="moved", question="say")
    assert said.height == 2 * 9  # after the last month there is no talk
    calls = {(row["step"], row["seat"]): row["model"] for row in result.calls().iter_rows(named=True)}
    speakers = set()
    for row in said.iter_rows(named=True):
        name = models[row["seat"]].name
        assert row["says"] == f"I am {name}."
        assert calls[row["step"], row["seat"]] == name
        speakers.add(name)
    assert speakers == {"ada", "bob"}


def test_the_agreed_limit_is_in_everybodys_next_prompt(tmp_path) -> None:
    seen: list[str] = []

    class Listener(Speaker):
        def answer(self, messages: Sequence[Message]) -> str:
            if asked(messages) == "harvest":
                seen.append(messages[-1].text)
            return super().answer(messages)

    played(tmp_path / "log", [Listener("ada")] * 5)
    told = ["The agreed limit is 10 tons of fish per person." in text for text in seen]
    assert told == [False] * 5 + [True] * 10


@pytest.mark.parametrize("seats", ["llm:fake", "llm:fake(memory=faithful)"])
def test_in_japanese_nothing_that_a_model_is_told_is_english(seats: str) -> None:
    """But for what the fake model itself says."""
    match = play("commons(rounds=2,language=ja)", *[seats] * 5, mechanisms=["moral(framing=universalization)", "agreement", TALK])
    assert match.outcome.status == "finished"
    for message in {message for seat in range(5) for prompt in match.prompts(seat) for message in prompt if message.role != "assistant"}:
        own = re.sub(r"I could do this or that\.|I (take|do|say)[^.]*\.|Let us[^.]*\.", "", message.text)
        assert not re.findall(r"[A-Za-z]{2,}", own), own


def test_the_languages_have_the_same_texts() -> None:
    fields = lambda text: sorted(re.findall(r"{\w+}", text))
    assert {key: fields(text) for key, text in TEXTS["en"].items()} == {key: fields(text) for key, text in TEXTS["ja"].items()}


def test_a_newcomer_is_asked_from_its_month_on() -> None:
    """It has no part in the talk about the month before it came."""
    game = "commons(rounds=4,newcomers=1,arrival=3)"
    match = play(game, *[Speaker(f"m{i}") for i in range(5)], mechanisms=["agreement", TALK])
    assert [asked(prompt) for prompt in match.prompts(4) if asked(prompt) != "next"][:2] == ["harvest", "say"]
    assert [asked(prompt) for prompt in match.prompts(4)].count("harvest") == 2
    assert [asked(prompt) for prompt in match.prompts(0)].count("harvest") == 4
    head = match.prompts(0)[0][0].text
    assert "4 people share a lake" in head
    assert "5 people" not in head
    assert "5 people share it now." in match.prompts(0)[-1][-1].text


SOON = ("newcomer", "simulate")


@pytest.mark.parametrize("variant", [pytest.param(v, marks=[] if v in SOON else pytest.mark.slow) for v in load("govsim").variants])
def test_every_variant_can_be_played_by_models(variant: str) -> None:
    """The estimate plays it with a fake."""
    found = Study.preset("govsim", [variant], "llm:openai/gpt-5-mini*5", repeats=1).estimate()
    assert found.paid
    assert found.total("likely").calls > 0


def test_five_over_harvests_of_five_with_nine_utterances_are_all_of_them(tmp_path) -> None:
    """Published values such as 35.71 = 5/14 count the nine utterances among the occasions; the formula does not."""

    class Grabber(Speaker):
        def answer(self, messages: Sequence[Message]) -> str:
            return "20" if asked(messages) == "harvest" else super().answer(messages)

    seats = [Llm(Grabber("ada"), reasoning=False) for _ in range(5)]
    result = Study("commons", seats, ["talk(when=before,order=floor,turns=9)"], repeats=1).run(tmp_path / "log")
    assert result.events().filter(kind="moved", question="say").height == 9
    assert result.events().filter(kind="moved", question="harvest").height == 5
    assert result.summary()["arms"][0]["measures"]["over_usage"]["mean"] == 1.0
