"""Models that compute their answers from the prompt, and a table for them; nothing is sent anywhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

from commonage import event, seeds, spec
from commonage.agents.llm import Llm
from commonage.model import Call, Message, Model, Reply
from commonage.models import desk
from commonage.models.desk import Desk
from commonage.models.limits import Limits
from commonage.run import match, seats
from commonage.run.study import history

KEY = seeds.fold(seeds.root(1), "repeat", 0)
Rows = list[tuple[int, int, int, Any]]  # (step, seat, attempt, event)


class Thinker(Model):
    """Answers what a function makes of the conversation: a text or a Reply; `decide` by a second one."""

    name = "thinker"

    def __init__(self, says: Callable[[Sequence[Message]], Any], decides: Callable[[Sequence[str]], Any] | None = None) -> None:
        self.says, self.decides = says, decides
        self.verbs = ("chat", "decide") if decides else ("chat",)

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        await asyncio.sleep(0)
        said = self.says(messages)
        return said if isinstance(said, Reply) else Reply(said, tokens_in=10, tokens_out=5)

    async def decide(self, messages: Sequence[Message], options: Sequence[str], **settings: Any) -> Reply:
        assert self.decides
        decided = self.decides(options)
        return decided if isinstance(decided, Reply) else Reply("", p=tuple(decided), mass=1.0)


def asked(messages: Sequence[Message]) -> str:
    """The question of the last message: choose, say, harvest ...; "" where it asks for the model's own words."""
    found = re.findall(r"^Question: (.*)\?$", messages[-1].text, re.MULTILINE)
    return found[-1] if found else ""


def tit_for_tat(messages: Sequence[Message]) -> str:
    """Plays what the other played, and says what it saw."""
    found = re.findall(r"the other (cooperate|defect)\.", messages[-1].text)
    seen = found[-1] if found else "nothing"
    if asked(messages) == "say":
        return f"I say what I saw.\nin words: I saw {seen}"
    return f"I saw {seen}.\n{seen if found else 'cooperate'}"


def third(messages: Sequence[Message]) -> str:
    """Takes a sixth of the stock: with three seats half is left."""
    *_, stock = re.findall(r"holds (\d+)", messages[-1].text)
    return f"{stock} tons are there.\n{int(stock) // 6}"


class Played:
    """A match: its rows in the order of play, its outcome, the calls (step, seat, attempt, number, call)."""

    def __init__(self, rows: Rows, outcome: match.Outcome, calls: list[tuple[int, int, int, int, Call]]) -> None:
        self.rows, self.outcome, self.calls = rows, outcome, calls

    def of(self, kind: type, seat: int = 0) -> list[Any]:
        return [row[3] for row in self.rows if isinstance(row[3], kind) and row[1] == seat]

    def prompts(self, seat: int = 0) -> list[tuple[Message, ...]]:
        """What was sent for a seat, call by call."""
        return [call.messages for _, of, _, _, call in self.calls if of == seat]

    def sent(self, step: int = 0) -> list[Any]:
        """The calls from a step on, without clocks."""
        return [
            (*place, call.verb, call.messages, call.settings, call.reply and call.reply.text)
            for *place, call in self.calls
            if place[0] >= step
        ]

    def memory(self, seat: int = 0) -> list[Any]:
        """What the log keeps of a seat's memory, move by move."""
        return [moved.memory for moved in self.of(event.Moved, seat) if not moved.forced]

    def before(self, step: int) -> Rows:
        """What a log that was cut off at a step holds."""
        return [row for row in self.rows if row[0] < step]


def play(game: str, *places: Any, mechanisms: Sequence[str] = (), past: Rows = (), key: Any = KEY, **options: Any) -> Played:  # type: ignore[assignment]
    """One match; `past`: rows of a log that it goes on from. Models become seats by `Llm`."""
    tower = spec.game(game, mechanisms)
    sitting = [Llm(place) if isinstance(place, Model) else place for place in places]
    agents = [seats.agent(spec.seats(place)[0] if isinstance(place, str) else place, tower) for place in sitting]
    rows: Rows = list(past)
    calls: list[Any] = []
    with Desk(Limits(cache=False)).using(), desk.recording(lambda *row: calls.append(row)):
        outcome = asyncio.run(
            match.play(tower, agents, key, lambda *row: rows.append(row), past=history(past) if past else None, **options)
        )
    return Played(rows, outcome, calls)


def told(messages: Sequence[Message], reply: str = "") -> str:
    """A conversation as one text."""
    parts = [*messages, *([Message("assistant", reply)] if reply else [])]
    return "\n".join(f"[{message.role}]\n{message.text}" for message in parts)
