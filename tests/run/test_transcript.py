"""A transcript says what each seat saw, was sent, said and did; as text, and as a page that nothing can escape from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from table import Calls

from commonage.agent import Answer
from commonage.agents.llm import Llm
from commonage.errors import LogError
from commonage.model import Message, Model, Reply, Trouble
from commonage.models.decide import Shares, merged
from commonage.run.study import Study
from commonage.run.transcript import html, page, text, transcript
from commonage.run.transcript.told import told
from commonage.store import read

DILEMMA = "dilemma(rounds=2)"
HOSTILE = "</div></details><script>alert(1)</script> <img src=x onerror=alert(2)> &amp; \x1b[2J\x07 \u202eevil\u200b \ud800"
CERTAIN = Reply("", p=(1.0, 0.0), mass=0.984, tokens_in=50, tokens_out=1)


class Script(Model):
    """Replies line by line, and with the last one for ever."""

    name, verbs = "some/model", ("chat", "decide")

    def __init__(self, *lines: Any, decision: Reply = CERTAIN) -> None:
        self.lines, self.decision = list(lines), decision

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        if isinstance(line, Exception):
            raise line
        return line if isinstance(line, Reply) else Reply(line, tokens_in=1200, tokens_out=30, tokens_cached=800)

    async def decide(self, messages: Sequence[Message], options: Sequence[str], **settings: Any) -> Reply:
        return self.decision


def play(folder: Path, *places: Any, game: str = DILEMMA, mechanisms: Any = ()) -> Path:
    Study(game, list(places), mechanisms, repeats=1).run(folder)
    return folder


def both(folder: Path) -> tuple[str, str]:
    """As text, and what a reader of the page sees, without its style."""
    shown = re.sub(r"<style>.*?</style>|<[^>]*>", "", page(folder, 1), flags=re.DOTALL)
    return transcript(folder, 1), unescape(shown)


def place(folder: Path) -> int:
    """The number at the table of the first in the seat list."""
    return read.read(folder).matches["order"][0].to_list().index(0) + 1


# what was sent


def test_every_message_exactly_as_sent(tmp_path: Path) -> None:
    folder = play(tmp_path / "run", Llm(Script("They may.\ncooperate"), persona="You like\n  lists."), "grim")
    for sent in read.sent(folder, 1):
        for message in sent[-1].messages:
            indented = "\n".join(f"        | {line}" for line in message.text.split("\n"))
            assert indented in transcript(folder, 1)
            assert message.text in both(folder)[1]


def test_a_message_that_was_sent_before_is_told_once(tmp_path: Path) -> None:
    folder = play(tmp_path / "run", Llm(Script("They may.\ncooperate"), persona="You like lists."), "grim")
    for said in both(folder):
        assert said.count("You like lists.") == 1
        assert said.count("the first 2 of 4 messages as in its call before") == 1


def test_settings_tokens_and_time_stand_beside_it(tmp_path: Path) -> None:
    folder = play(tmp_path / "run", Llm(Script("cooperate"), temperature=0.3, max_tokens=77), "grim")
    for said in both(folder):
        assert re.search(r"by chat, temperature 0\.3, max_tokens 77", said)
        assert re.search(r"1,200 tokens in \(800 from the provider's cache\), 30 out; cost 0; 0\.\d s", said)


def test_probabilities_are_told(tmp_path: Path) -> None:
    folder = play(tmp_path / "run", Llm(Script(""), verb="decide"), "grim")
    for said in both(folder):
        assert "by decide between cooperate | defect, seed" in said
        assert "cooperate 1.000, defect 0.000 (on these options lay 0.984)" in said


def test_every_order_of_the_options_is_told(tmp_path: Path) -> None:
    """Labels over chat: the same question in two orders, each as it was sent."""
    outcomes = [Shares([0.9, 0.1], 0.97), Shares([0.7, 0.3], 0.95)]
    model = Script("", decision=merged("labels", ["cooperate", "defect"], [[1, 0], [0, 1]], outcomes, 0.5))
    folder = play(tmp_path / "run", Llm(model, verb="decide"), "grim")
    for said in both(folder):
        assert re.search(r"user, order 1 of 2(?s:.{,300})A\. defect\s[ |]*B\. cooperate", said)
        assert re.search(r"user, order 2 of 2(?s:.{,300})A\. cooperate\s[ |]*B\. defect", said)
        assert "cooperate 0.800, defect 0.200 (on these options lay 0.960)" in said


# what went wrong


def test_asked_again_and_then_not_again(tmp_path: Path) -> None:
    folder = play(tmp_path / "run", Llm(Script("cooperate", "hm")), "grim")
    said, shown = both(folder)
    assert [
        said.count(f"answered 'hm' at \"choose\": {again}, the last line was 'hm'") for again in ("asked again", "not asked again")
    ] == [2, 1]
    assert [shown.count(f'the answer at "choose" could not be read; {again}:') for again in ("asked again", "it was not asked again")] == [
        2,
        1,
    ]
    assert said.count(" sees: Round 2.") == 2  # also who failed is told what it saw
    for each in (said, shown):
        assert "FAILED (model) at \"choose\": the last line was 'hm'" in each


def test_a_refusal_is_shown_with_its_reply(tmp_path: Path) -> None:
    folder = play(tmp_path / "run", Llm(Script(Reply("I can't.", "content_filter", "not for me"))), "grim")
    for said in both(folder):
        assert "I can't." in said
        assert "it ended by 'content_filter'" in said
        assert "it refused: not for me" in said
        assert "FAILED (model)" in said


def test_a_pause_and_the_call_that_came_to_nothing(tmp_path: Path) -> None:
    model = Script("cooperate", Trouble("401: no such key", 401, again=False), "cooperate")
    study = Study(DILEMMA, [Llm(model), "grim"], repeats=1)
    study.run(tmp_path / "run")
    for said in both(tmp_path / "run"):
        assert "it came to nothing: 401: no such key" in said
        assert "PAUSED: some/model: 401: no such key" in said
    study.run(tmp_path / "run")
    said, shown = both(tmp_path / "run")
    assert "it came to nothing: 401: no such key" in said  # it stays, beside the call in its place
    assert said.index("came to nothing") < said.index("PAUSED") < said.index("round 2: rewards") < said.index("Finished after 2 rounds.")
    assert "Finished after 2 rounds." in shown


def test_who_is_no_model_is_quoted_too(tmp_path: Path) -> None:
    agent = Calls(lambda view: "I wonder.\nwell" if view.round == 2 and not view.attempt else f"I looked at round {view.round}.\ndefect")
    said, shown = both(play(tmp_path / "run", agent, "grim"))
    assert "| I looked at round 1." in said
    assert "answered 'I wonder.\\nwell' at \"choose\": asked again" in said
    assert all(line in shown for line in ("I looked at round 1.\ndefect", "I wonder.\nwell", 'at "choose" could not be read; asked again'))


@pytest.mark.parametrize(("rounds", "says"), [(1, "Finished after 1 round."), (2, "Finished after 2 rounds.")])
def test_one_round_is_one_round(tmp_path: Path, rounds: int, says: str) -> None:
    for said in both(play(tmp_path / "run", "grim", "grim", game=f"dilemma(rounds={rounds})")):
        assert says in said


def test_one_ton_is_one_ton(tmp_path: Path) -> None:
    catch = Calls(lambda view: "1" if view.round == 1 else "2")
    for said in both(play(tmp_path / "run", catch, catch, game="commons(seats=2,rounds=2,capacity=20)")):
        assert len(re.findall(r"harvest: 1 ton of fish\b", said)) == 2
        assert len(re.findall(r"harvest: 2 tons of fish\b", said)) == 2


def test_a_match_that_is_not_there(tmp_path: Path) -> None:
    folder = play(tmp_path / "run", "grim", "grim")
    for tell in (transcript, page):
        with pytest.raises(LogError, match="no match 9"):
            tell(folder, 9)


# a page that nothing escapes from


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says the worst, to somebody who refuses with it, at a table where it is quoted."""
    speaks = Llm(Script(f"{HOSTILE}\nin words: {HOSTILE}", f"{HOSTILE}\ncooperate"), persona=HOSTILE.replace("\ud800", ""))
    refuses = Calls(lambda view: "nothing" if view.question.speech else Answer(refused=HOSTILE))
    return play(tmp_path_factory.mktemp("hostile") / "run", speaks, refuses, mechanisms=["talk"])


def test_what_models_say_is_text(hostile: Path) -> None:
    said = page(hostile, 1)
    assert said.count("<script") == said.count("<img") == 0
    assert said.count("&lt;script&gt;") >= 4
    ElementTree.fromstring(re.sub(r"<meta[^>]*>", "", said.split("\n", 1)[1]))  # every element is closed where it was opened


def test_what_acts_on_a_screen_is_shown(hostile: Path) -> None:
    for said in (transcript(hostile, 1), page(hostile, 1)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\ud800-\udfff]", said)
        assert all(escape in said for escape in (r"\x1b", r"\x07", r"\u202e", r"\u200b", r"\ud800"))
        said.encode()
    assert r'<span class="hidden">\x1b</span>' in page(hostile, 1)


def test_the_page_needs_nothing_else(hostile: Path) -> None:
    said = page(hostile, 1)
    tags = re.findall(r"<[a-z][^>]*>", said)
    assert not any(re.search(r"\s(src|on\w+|srcset|action)\s*=", tag) for tag in tags)
    links = re.findall(r'href="#([^"]*)"', said)
    assert said.count("href=") == len(links) > 0
    assert all(f'id="{link}"' in said for link in links)
    assert not re.search(r"@import|url\(", said)
    assert "default-src 'none'" in said
    assert "prefers-color-scheme: dark" in said


def test_other_scripts_are_left_as_they_are(tmp_path: Path) -> None:
    for said in both(play(tmp_path / "run", Llm(Script("湖を\u3000守る。 ¿Qué? 🐟\ncooperate")), "grim")):
        assert "湖を\u3000守る。 ¿Qué? 🐟" in said


# test models are stamped


def test_test_models_are_stamped(tmp_path: Path) -> None:
    match = told(play(tmp_path / "run", Llm(Script("cooperate")), "grim"), 1)
    match = match._replace(found=match.found._replace(arm={**match.found.arm, "test_models": ["some/model"]}))
    for said in (text.write(match), html.write(match)):
        assert "some/model: TEST MODEL" in said
