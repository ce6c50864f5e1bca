"""A seat that is handed over: the first answers in the first `after` rounds, then the second: `relay(a, b, after=3)`.

Relay inference of Davidson et al. 2025 (arXiv:2511.02687). Who takes over finds what was said in its View, and whatever
the game tells; what the first thought stays with the first.
"""

from __future__ import annotations

from typing import Any

from commonage.agent import Agent, Answer, View
from commonage.errors import SpecError


class Relay(Agent):
    """`after`: rounds of the first; 0 = the second plays alone."""

    def __init__(self, first: Agent, second: Agent, after: int = 1) -> None:
        if not (type(after) is int and after >= 0):
            raise SpecError(f"relay(after={after!r}): after must be a whole number of rounds, at least 0")
        self.members, self.after = (first, second), after
        self.pure, self.costs = first.pure and second.pure, first.costs or second.costs  # type: ignore[misc]
        self.boundary = "model" if "model" in (first.boundary, second.boundary) else first.boundary  # type: ignore[misc]

    async def __call__(self, view: View) -> Answer:
        now = self._now(view)
        answer = await self.members[now](self._within(view, now))
        return answer._replace(memory=_put(view.memory, now, answer.memory))

    def keep(self, memory: Any) -> Any:
        return [None if own is None else member.keep(own) for member, own in zip(self.members, memory or _BLANK, strict=True)]

    async def recall(self, view: View, kept: Any) -> Any:
        now = self._now(view)
        return _put(view.memory, now, await self.members[now].recall(self._within(view, now), (kept or _BLANK)[now]))

    def _now(self, view: View) -> int:
        return int(view.round > self.after)

    def _within(self, view: View, now: int) -> View:
        return view.replace(memory=(view.memory or _BLANK)[now], member=(*view.member, now))


_BLANK = (None, None)


def _put(memories: Any, now: int, memory: Any) -> list[Any]:
    return [memory if i == now else own for i, own in enumerate(memories or _BLANK)]
