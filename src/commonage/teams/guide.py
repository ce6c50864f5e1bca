"""A seat that names goals on a grid, or in a kitchen, and is led there, a move at a time: `guide(llm:ollama/llama3.2, steps=10)`.

One answer of its member lasts until the goal is reached, until there is no way to it any more, or for `steps` moves: a
model is then called for one move in ten. Every move goes into the log as any other. Questions that are not the world's go
to the member as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from commonage.agent import Agent, Answer, View, legible
from commonage.errors import SpecError, Unreadable
from commonage.game import Legal, Question, base
from commonage.grid.led import Led, Step

ASKED = 3  # times, before an answer that cannot be read is a failure


@dataclasses.dataclass(eq=False)
class Asked(View):
    """The View of somebody who is asked for a goal."""

    open: tuple[bool, ...] = ()  # which goals may be named
    notes: str = ""  # what it is told besides the facts

    @property
    def question(self) -> Question:
        return Question("goal", base(self.game).goals)  # type: ignore[attr-defined]

    @property
    def facts(self) -> str:  # type: ignore[override]
        return "\n".join(part for part in (super().facts, self.notes) if part)

    @property
    def legal(self) -> Legal:
        return Legal(np.int32(0), np.int32(len(self.open) - 1), np.array(self.open))

    def allows(self, move: int) -> bool:
        return 0 <= move < len(self.open) and self.open[move]


class Mind(NamedTuple):
    """What a guided seat remembers."""

    goal: int = -1  # -1: none
    left: int = 0  # moves left for it
    asked: bool = False  # whether the last answer came from the member
    own: Any = None  # what the member remembers


class Guide(Agent):
    """`steps`: the most moves before it asks again."""

    def __init__(self, member: Agent, steps: int = 10) -> None:
        if not (type(steps) is int and steps >= 1):
            raise SpecError(f"guide(steps={steps!r}): steps must be a whole number, at least 1")
        self.members, self.steps = (member,), steps
        self.costs, self.boundary = member.costs, member.boundary  # type: ignore[misc]

    async def __call__(self, view: View) -> Answer:
        mind, game = view.memory or Mind(), base(view.game)
        if not steers(game, view):
            answer = await self.members[0](self._within(view, mind))
            return answer._replace(memory=mind._replace(asked=True, own=answer.memory))
        steps = ways(view, game)
        if mind.left > 0 and steps[mind.goal].possible:
            led = _moved(steps[mind.goal], mind._replace(left=mind.left - 1, asked=False))
            return led._replace(usage={"calls": 0})
        goal, answer = await named(self.members[0], asked(self._within(view, mind), possible(steps)))
        if goal < 0:
            return answer
        moved = _moved(steps[goal], Mind(goal, self.steps - 1, True, answer.memory))
        return moved._replace(text=answer.text, usage=answer.usage)

    def _within(self, view: View, mind: Mind) -> View:
        return view.replace(memory=mind.own, member=(*view.member, 0))

    def keep(self, memory: Any) -> Any:
        return None if memory is None else [*memory[:3], self.members[0].keep(memory.own) if memory.asked else None]

    async def recall(self, view: View, kept: Any) -> Any:
        mind, game = view.memory or Mind(), base(view.game)
        now = Mind(*kept) if kept else Mind(asked=True)
        if not now.asked:
            return now._replace(own=mind.own)
        within = self._within(view, mind)
        put = asked(within, possible(ways(view, game))) if steers(game, view) else within
        return now._replace(own=await self.members[0].recall(put, now.own))


async def named(member: Agent, view: Asked) -> tuple[int, Answer]:
    """(the goal that a member names, its answer); -1 where it refuses, or cannot be read."""
    used, answer = dict[str, float](), Answer()
    for attempt in range(ASKED):
        answer = await member(view.replace(attempt=attempt, problem=answer.refused))
        used = together(used, answer.usage)
        if answer.refused:
            break
        try:
            return legible(view, answer)[0], answer._replace(usage=used)
        except Unreadable as unreadable:
            answer = answer._replace(refused=str(unreadable))
    return -1, answer._replace(move=None, usage=used)


def together(*used: dict[str, float]) -> dict[str, float]:
    """Calls, tokens, cost, seconds, added up."""
    names = dict.fromkeys(name for each in used for name in each)
    return {name: sum(each.get(name, 0) for each in used) for name in names}


def steers(game: Any, view: View) -> TypeGuard[Led]:
    """Whether it is asked for a move in a world of goals."""
    return isinstance(game, Led) and view.which < len(base(view.game).questions)


def ways(view: View, game: Any) -> list[Step]:
    """The next move to every goal."""
    return game.ways(view.sight(game.label))


def asked(view: View, open: Sequence[bool], notes: str = "") -> Asked:
    """The View of a member that is asked for one of the goals that are open."""
    fields = {field.name: getattr(view, field.name) for field in dataclasses.fields(view)}
    return Asked(**fields, open=tuple(open), notes=notes)


def possible(ways: list[Step]) -> list[bool]:
    """Which goals can be had."""
    return [bool(way.possible) for way in ways]


def _moved(way: Step, mind: Mind) -> Answer:
    return Answer(int(way.move), memory=mind._replace(goal=-1, left=0) if way.last else mind)
