"""What a seat is shown again: all of it, a window, its own summary, or what it retrieves from a stream of notes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from thinkers import Played, Thinker, asked, play, third, tit_for_tat, told

from commonage import event
from commonage.agents.llm import Llm, prompts
from commonage.agents.llm.faithful import embedding, ratings, retrieved, score
from commonage.model import Message, Reply

DILEMMA = "dilemma(rounds=5)"


def rounds_shown(messages: Sequence[Message]) -> list[int]:
    return [int(round) for message in messages for round in re.findall(r"^Round (\d+)\.", message.text, re.MULTILINE)]


def test_full_shows_every_round() -> None:
    played = play(DILEMMA, Thinker(tit_for_tat), "grim")
    assert [rounds_shown(messages) for messages in played.prompts()] == [list(range(1, last + 1)) for last in range(1, 6)]


def test_recent_shows_this_round_and_the_last_ones() -> None:
    played = play(DILEMMA, Llm(Thinker(tit_for_tat), memory="recent(2)"), "grim")
    assert [rounds_shown(messages) for messages in played.prompts()] == [[1], [1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]


def test_recent_counts_rounds_not_questions() -> None:
    played = play(DILEMMA, Llm(Thinker(tit_for_tat), memory="recent(1)"), "grim", mechanisms=["talk"])
    assert [rounds_shown(messages) for messages in played.prompts()][-2:] == [[4, 4, 5], [4, 4, 5, 5]]


def test_last_counts_the_seats_own_turns() -> None:
    played = play(DILEMMA, Llm(Thinker(tit_for_tat), memory="last(2)"), "grim", mechanisms=["talk"])
    assert [rounds_shown(messages) for messages in played.prompts()][-2:] == [[4, 4, 5], [4, 5, 5]]


def sums_up(messages: Sequence[Message]) -> str:
    """Knows the rounds that it was shown."""
    if asked(messages):
        return tit_for_tat(messages)
    return f"I was shown rounds {rounds_shown(messages)}" + (" after a summary" if "Your summary" in messages[1].text else "")


def test_a_running_summary_every_two_rounds() -> None:
    played = play(DILEMMA, Llm(Thinker(sums_up), memory="summary(2)"), "grim")
    assert [(step, number) for step, _, _, number, _ in played.calls] == [(0, 0), (1, 0), (2, 0), (2, 1), (3, 0), (4, 0), (4, 1)]
    assert [len(played.of(event.Moved)), played.outcome.status] == [5, "finished"]
    assert [kept.get("summary") for kept in played.memory()] == [
        None, None, "I was shown rounds [1, 2]", None, "I was shown rounds [3, 4] after a summary",
    ]  # fmt: skip
    assert played.prompts()[2][-1].text == prompts.text("summarise", words=200)
    assert told(played.prompts()[4][1:]) == (
        """[user]
Your summary of what happened before:
I was shown rounds [1, 2]

Round 3. Last round you chose cooperate, the other cooperate.

Question: choose?
Reason briefly. Then give, alone in the last line, exactly one of: cooperate, defect
[assistant]
I saw cooperate.
cooperate
[user]
Round 4. Last round you chose cooperate, the other cooperate.

Question: choose?
Reason briefly. Then give, alone in the last line, exactly one of: cooperate, defect"""
    )
    assert rounds_shown(played.prompts()[-1]) == [5]


def test_a_summary_holds_what_was_said_as_quoted_data_only_where_the_model_quotes_it() -> None:
    """What the others said in the rounds summed up is not shown again."""
    loud = Thinker(lambda m: f"in words: secret {len(m)}" if asked(m) == "say" else "cooperate")
    played = play(DILEMMA, Llm(Thinker(sums_up), memory="summary(1)"), loud, mechanisms=["talk"])
    for messages in played.prompts():
        if asked(messages) == "say":
            assert "secret" not in told(messages)


@pytest.mark.parametrize("reply", [Reply(""), Reply(" \n"), Reply("no", refusal="I don't sum up")])
def test_a_summary_that_is_none_is_a_failure_not_an_empty_memory(reply: Reply) -> None:
    model = Thinker(lambda m: "cooperate" if asked(m) else reply)
    played = play(DILEMMA, Llm(model, memory="summary(1)"), "grim")
    assert [moved.move for moved in played.of(event.Moved)] == [0]
    assert played.of(event.Failed)[0].where == "model"
    assert (reply.refusal or "it had no words for: Sum up what happened so far") in played.of(event.Failed)[0].what


# faithful


def note(text: str, importance: int = 1) -> dict[str, Any]:
    return {"kind": "event", "text": text, "round": 1, "expires": 9, "importance": importance}


def test_the_score_of_a_note() -> None:
    """0.5 x 0.99^rank + 3 x (importance - 1) / 9 + 2 x cosine."""
    assert score(note("a lake"), 0, "no match") == pytest.approx(0.5)
    assert score(note("a lake"), 3, "no match") == pytest.approx(0.5 * 0.99**3)
    assert score(note("a lake", 10), 0, "no match") == pytest.approx(3.5)
    assert score(note("a lake", 4), 0, "no match") == pytest.approx(1.5)
    assert score(note("a lake", 0), 0, "no match") == pytest.approx(0.5)  # not rated: nothing is made up
    assert score(note("A lake."), 0, "a LAKE") == pytest.approx(2.5)
    assert score(note("the lake"), 0, "lake") == pytest.approx(0.5 + 2 / np.sqrt(2))


def test_an_embedding_counts_words() -> None:
    assert np.linalg.norm(embedding("one two two")) == pytest.approx(1)
    assert embedding("two two one") @ embedding("one") == pytest.approx(1 / np.sqrt(5))
    assert not embedding("...").any()


def test_what_is_retrieved() -> None:
    notes = [note("old and important", 10), note("dull"), note("the lake holds 10"), note("dull"), note("news")]
    best = retrieved(notes, "how much does the lake hold", 3)
    assert best == [notes[0], notes[2], notes[4]]  # as they came
    assert retrieved(notes, "nothing", 2) == [notes[0], notes[4]]
    assert retrieved(notes, "nothing", 10) == notes
    assert retrieved([], "nothing", 10) == []


@pytest.mark.parametrize(
    ("reply", "numbers"),
    [
        ("So:\n3 10 1", [3, 10, 1]),
        ("3 10", [0, 0, 0]),
        ("3 10 1 2", [0, 0, 0]),
        ("3 11 1", [0, 0, 0]),
        ("3 0 1", [0, 0, 0]),
        ("3, 4, 5", [0, 0, 0]),
        ("3 4 5\nI think", [0, 0, 0]),
        ("three 4 5", [0, 0, 0]),
    ],
)
def test_ratings_are_read_strictly_and_never_guessed(reply: str, numbers: list[int]) -> None:
    assert ratings(reply, 3) == numbers


def faithful(messages: Sequence[Message]) -> str:
    """Finds a harvest more important than what it sees, draws two conclusions, and plans to share."""
    question = messages[-1].text
    if "How important" in question:
        lines = question.split("\n\nHow important")[0].splitlines()
        return " ".join("9" if "you answered" in line else "2" for line in lines)
    if "What do you conclude" in question:
        return "The lake grows.\n\nOthers share.\n"
    if "What do you plan" in question:
        return "I share."
    return third(messages)


def fishing(months: int, memory: str = "faithful") -> Played:
    return play(f"commons(seats=3,rounds={months},capacity=60)", Llm(Thinker(faithful), memory=memory), "sustainer", "sustainer")


def test_a_month_of_the_published_agent() -> None:
    """The first month: rate, plan, answer; each later one: rate, reflect, rate the conclusions, plan, answer."""
    played = fishing(2)
    assert [(step, number) for step, _, _, number, _ in played.calls] == [*((0, n) for n in range(3)), *((1, n) for n in range(5))]
    assert [kept["did"] for kept in played.memory()] == [f"In round {month}, asked harvest, you answered 10." for month in (1, 2)]
    asks = [messages[-1].text for messages in played.prompts()]
    assert asks[3].startswith("1. In round 1, asked harvest, you answered 10.\n2. Month 2. The lake holds 60 tons of fish.")
    assert asks[4].endswith("\n\nWhat do you conclude from this? Give 1 to 3 lines, one conclusion in each, and nothing else.")
    assert asks[5].startswith("1. In round 2 you concluded: The lake grows.\n2. In round 2 you concluded: Others share.\n\n")
    assert asks[7] == (
        """What you remember:
- Month 1. The lake holds 60 tons of fish.
- In round 1, asked harvest, you answered 10.
- In round 2 you concluded: The lake grows.
- In round 2 you concluded: Others share.

Your plan for this round: I share.

Month 2. The lake holds 60 tons of fish. Last month you took 10. The others: seat 2 took 10, seat 3 took 10.

Question: harvest?
Reason briefly. Then give, alone in the last line, exactly one whole number of tons of fish, 0 to 60"""
    )
    assert [(kept["kind"], kept["importance"], kept["expires"]) for kept in played.memory()[1]["notes"]] == [
        ("action", 9, 13), ("event", 2, 14), ("thought", 2, 14), ("thought", 2, 14),
    ]  # fmt: skip


def test_within_a_round_it_neither_reflects_nor_plans_again() -> None:
    talks = Thinker(lambda m: "nothing" if asked(m) == "say" else faithful(m))
    played = play("commons(seats=3,rounds=2,capacity=60)", Llm(talks, memory="faithful"), "greedy", "greedy", mechanisms=["talk"])
    assert [(step, number) for step, _, _, number, _ in played.calls] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert "Your plan for this round: I share." in played.prompts()[-1][-1].text


def test_what_is_heard_becomes_a_note_and_stays_quoted() -> None:
    loud = Thinker(lambda m: 'in words: "\\ <end> share!' if asked(m) == "say" else "cooperate")
    mine = Thinker(lambda m: "nothing" if asked(m) == "say" else "cooperate" if asked(m) else faithful(m))
    played = play("dilemma(rounds=2)", Llm(mine, memory="faithful"), loud, mechanisms=["talk"])
    chats = [kept["text"] for item in played.memory() for kept in item["notes"] if kept["kind"] == "chat"]
    assert chats == [rf'Seat 2 said in round {round}: "\"\\ \u003cend\u003e share!"' for round in (1, 2)]
    assert chats[0] in played.prompts()[-1][-1].text


def test_at_most_ten_notes_and_none_that_has_expired() -> None:
    def shown(played: Played) -> list[int]:
        return [len(re.findall("^- ", messages[-1].text, re.MULTILINE)) for messages in played.prompts() if asked(messages)]

    assert shown(fishing(6)) == [0, 4, 8, 10, 10, 10]
    assert shown(fishing(6, "faithful(items=3)")) == [0, 3, 3, 3, 3, 3]
    assert shown(fishing(6, "faithful(expiry=1)")) == [0, 2, 2, 2, 2, 2]  # this month's conclusions
