"""A team that votes: the move with most votes, a tie to the first of its members: `vote(a, b, c)`."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Awaitable
from typing import Any

from commonage.agent import Agent, Answer, View, legible
from commonage.errors import Unreadable


class Vote(Agent):
    """An answer that cannot be read is handed up as it is, so that the team is asked again; a refusal is the team's."""

    def __init__(self, *members: Agent) -> None:
        self.members = members
        self.pure, self.costs = all(m.pure for m in members), any(m.costs for m in members)  # type: ignore[misc]

    async def __call__(self, view: View) -> Answer:
        asked = (member(own) for member, own in zip(self.members, self._views(view), strict=True))
        answers = await _all(*asked)
        for answer in answers:
            if answer.refused or not _readable(view, answer):
                return answer
        ballots = [legible(view, answer) for answer in answers]
        moves = [move for move, _ in ballots]
        winner = max(moves, key=lambda move: (moves.count(move), -moves.index(move)))
        return Answer(winner, says=dict(ballots[::-1])[winner], memory=[answer.memory for answer in answers])

    def keep(self, memory: Any) -> Any:
        return [member.keep(own) for member, own in zip(self.members, memory or [None] * len(self.members), strict=True)]

    async def recall(self, view: View, kept: Any) -> Any:
        kept = kept or [None] * len(self.members)
        views = zip(self.members, self._views(view), kept, strict=True)
        return await gather(*(member.recall(own, note) for member, own, note in views))

    def _views(self, view: View) -> list[View]:
        memories = view.memory or [None] * len(self.members)
        return [view.replace(memory=memory, member=(*view.member, i)) for i, memory in enumerate(memories)]


async def _all(*asked: Awaitable[Answer]) -> list[Answer]:
    """All answers; where one is interrupted the others are still awaited, since they may have been paid for."""
    answers: list[Any] = await gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers


def _readable(view: View, answer: Answer) -> bool:
    try:
        return bool(legible(view, answer))
    except Unreadable:
        return False
