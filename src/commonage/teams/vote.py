"""A team that votes: the move with most votes, a tie to the first of its members: `vote(a, b, c)`."""

from __future__ import annotations

from asyncio import gather
from typing import Any

from commonage.agent import Agent, Answer, View, read


class Vote(Agent):
    def __init__(self, *members: Agent) -> None:
        self.members = members
        self.pure, self.costs = all(m.pure for m in members), any(m.costs for m in members)  # type: ignore[misc]

    async def __call__(self, view: View) -> Answer:
        answers = await gather(*(member(own) for member, own in zip(self.members, self._views(view), strict=True)))
        refused = next((answer.refused for answer in answers if answer.refused), "")
        ballots = [0 if refused else _ballot(view, answer) for answer in answers]
        winner = max(ballots, key=lambda move: (ballots.count(move), -ballots.index(move)))
        says = next((a.says for a, ballot in zip(answers, ballots, strict=True) if ballot == winner), "")
        return Answer(None if refused else winner, says=says, memory=[a.memory for a in answers], refused=refused)

    def keep(self, memory: Any) -> Any:
        return [member.keep(own) for member, own in zip(self.members, memory, strict=True)]

    async def recall(self, view: View, kept: Any) -> Any:
        kept = kept or [None] * len(self.members)
        views = zip(self.members, self._views(view), kept, strict=True)
        return await gather(*(member.recall(own, note) for member, own, note in views))

    def _views(self, view: View) -> list[View]:
        memories = view.memory or [None] * len(self.members)
        return [view.replace(memory=memory) for memory in memories]


def _ballot(view: View, answer: Answer) -> int:
    return read(view, answer.text)[0] if answer.move is None else answer.move
