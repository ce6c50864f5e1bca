"""What a seat remembers, and so what stands before its next question.

A memory is a list with one item for each answer, all of it JSON: the log keeps each item once, and a match that is
resumed or replayed appends them again, without calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

from commonage import spec
from commonage.agent import Said, View
from commonage.agents.llm import prompts
from commonage.errors import SpecError

Item = dict[str, Any]
Thread = Sequence[tuple[str, str]]  # (what the seat was told, what it answered); "" where it was not asked anything


class Think(Protocol):
    """Asks the model for words of its own, not for a move."""

    async def __call__(self, question: str, thread: Thread = ...) -> str: ...


@dataclasses.dataclass(frozen=True)
class Memory:
    """One kind of memory. A subclass's fields are its parameters in the seat list: whole numbers, at least 1."""

    async def before(self, view: View, past: list[Item], think: Think) -> tuple[Thread, Item]:
        """(what stands before the question, what the item of this answer holds beside it). It may ask the model."""
        raise NotImplementedError

    def after(self, view: View, asked: str, answered: str) -> Item:
        """What the item holds of the question and the answer."""
        return {"asked": asked, "said": answered}

    def watched(self, view: View, past: list[Item]) -> Item:
        """The item of a turn that somebody else played from this seat."""
        return {"asked": prompts.seen(view, news(view, past)), "said": ""}


class Full(Memory):
    """Everything, word for word: each call extends the one before, so that providers' prompt caches work."""

    async def before(self, view: View, past: list[Item], think: Think) -> tuple[Thread, Item]:
        return turns(past), {}


@dataclasses.dataclass(frozen=True)
class Recent(Memory):
    """This round and the last `rounds` before it, word for word."""

    rounds: int = 12

    async def before(self, view: View, past: list[Item], think: Think) -> tuple[Thread, Item]:
        return turns([item for item in past if item["round"] >= view.round - self.rounds]), {}


@dataclasses.dataclass(frozen=True)
class Last(Memory):
    """The last `turns` of its own, word for word: for games whose rounds have many."""

    turns: int = 10

    async def before(self, view: View, past: list[Item], think: Think) -> tuple[Thread, Item]:
        return turns(past[-self.turns :]), {}


@dataclasses.dataclass(frozen=True)
class Summary(Memory):
    """A running summary: every `rounds` rounds the seat sums up, in one more call, what then is left out."""

    rounds: int = 12

    async def before(self, view: View, past: list[Item], think: Think) -> tuple[Thread, Item]:
        first = max((place for place, item in enumerate(past) if "summary" in item), default=0)
        since = past[first:]
        thread = [*_opening(since), *turns(since)]
        if not since or since[-1]["round"] == view.round or view.round - since[0]["round"] < self.rounds:
            return thread, {}
        item = {"summary": await think(prompts.text("summarise", words=prompts.SUMMARY_WORDS), thread)}
        return _opening([item]), item


def _opening(since: list[Item]) -> Thread:
    """The summary that stands before these items, if there is one."""
    return [(prompts.summary(item["summary"]), "") for item in since[:1] if "summary" in item]


def turns(items: list[Item]) -> Thread:
    """Items as the turns of a conversation."""
    return [(item["asked"], item["said"]) for item in items]


def news(view: View, past: list[Item]) -> list[Said]:
    """What others said since the seat's last turn; in that turn it had not heard who spoke at the same time."""
    last = past[-1]["step"] if past else -1
    return [said for said in view.heard if said.step >= last]


def kind(value: Any) -> Memory:
    """`full`, `recent(12)`, `last(10)`, `summary(12)`, `faithful` as text, or as the seat list's grammar reads it. Raises SpecError."""
    from commonage.agents.llm.faithful import Faithful

    if isinstance(value, Memory):
        return value
    kinds = {"full": Full, "recent": Recent, "last": Last, "summary": Summary, "faithful": Faithful}
    (call, *more) = value.calls if isinstance(value, spec.Seat) else [spec.call(str(value))]
    if more or call.name not in kinds:
        raise SpecError(f"llm(memory={value}): memory is full, recent(12) or summary(12) (rounds), last(10) (turns), or faithful")
    names = [field.name for field in dataclasses.fields(kinds[call.name])]
    given = {**dict(zip(names, call.args, strict=False)), **call.options}
    if len(call.args) > len(names) or not set(given) <= set(names) or not all(type(n) is int and n >= 1 for n in given.values()):
        says = f"takes {' and '.join(names)}: whole numbers, at least 1" if names else "takes no parameters"
        raise SpecError(f"llm(memory={value}): {call.name} {says}")
    return kinds[call.name](**given)
