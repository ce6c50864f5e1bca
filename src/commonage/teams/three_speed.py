"""A slow mind, a fast mind and hands on clocks of their own: `three_speed(llm:big, llm:small, slow_takes=20, fast_takes=2)`.

The hierarchy of HLA (Liu et al. 2024) in a world of goals such as the kitchen: the slow mind says now and then what matters, the
fast mind names the next goal in that light, the hands go there by the path-finder. Thinking costs steps: what is asked for at one
step is there `takes` steps later, and until then the hands go on with what they have, or wait. The steps are declared, not
measured, so that a match is the same on every machine.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from commonage.agent import Agent, Answer, View
from commonage.errors import SpecError
from commonage.game import base
from commonage.grid.led import Led, Step
from commonage.teams.guide import Asked, asked, named, possible, steers, together, ways

SLOW, FAST = 0, 1
SHOWN = 400  # characters of the slow mind's words that the fast one is told


class Thought(NamedTuple):
    """What a mind was asked and when its answer is there."""

    goal: int = -1  # -1: it does not think
    due: int = -1  # the game's step
    words: str = ""


class Mind(NamedTuple):
    """What the seat remembers."""

    goal: int = -1  # of the hands; -1: none
    left: int = 0  # moves left for it
    advice: Thought = Thought()  # the slow mind's last answer that is there
    next: int = 0  # step from which on the slow mind is asked again
    slow: Thought = Thought()  # under way
    fast: Thought = Thought()
    asked: tuple[bool, bool] = (False, False)  # whether the last answer came from either
    own: tuple[Any, Any] = (None, None)  # what either remembers


class ThreeSpeed(Agent):
    """`slow_every`: steps between two questions to the slow mind; `slow_takes`, `fast_takes`: steps that an answer takes; `steps`: the most
    moves for a goal. Questions that are not the world's go to the slow mind, and cost no steps.
    """

    def __init__(self, slow: Agent, fast: Agent, slow_every: int = 50, slow_takes: int = 20, fast_takes: int = 2, steps: int = 10) -> None:
        self.members, self.every, self.takes, self.steps = (slow, fast), slow_every, (slow_takes, fast_takes), steps
        for name, value, least in (
            ("slow_every", slow_every, 1), ("slow_takes", slow_takes, 0), ("fast_takes", fast_takes, 0), ("steps", steps, 1),
        ):  # fmt: skip
            if not (type(value) is int and value >= least):
                raise SpecError(f"three_speed({name}={value!r}): {name} must be a whole number, at least {least}")
        self.costs = slow.costs or fast.costs  # type: ignore[misc]
        self.boundary = "model" if "model" in (slow.boundary, fast.boundary) else slow.boundary  # type: ignore[misc]

    async def __call__(self, view: View) -> Answer:
        mind, game = (view.memory or Mind())._replace(asked=(False, False)), base(view.game)
        if not steers(game, view):
            answer = await self.members[SLOW](_within(view, mind, SLOW))
            return answer._replace(memory=_heard(mind, SLOW, answer.memory))
        steps, clock, used, texts = ways(view, game), int(view.sight(base(view.game).label).clock), {"calls": 0.0}, list[str]()
        mind = self._arrived(mind, clock)
        for which in (SLOW, FAST):
            if self._idle(mind, which, clock, steps):
                goal, answer = await named(self.members[which], self._put(view, game, mind, which, steps))
                used, texts = together(used, answer.usage), [*texts, answer.text]
                if goal < 0:
                    return answer._replace(usage=used)
                mind = self._thinks(_heard(mind, which, answer.memory), which, Thought(goal, clock + self.takes[which], answer.text), clock)
                mind = self._arrived(mind, clock)
        return self._acts(mind, steps)._replace(text="\n\n".join(filter(None, texts)), usage=used)

    def _idle(self, mind: Mind, which: int, clock: int, steps: list[Step]) -> bool:
        """Whether a mind is asked now: the slow one by the clock, the fast one where the hands have nothing to do."""
        if which == SLOW:
            return mind.slow.goal < 0 and clock >= mind.next
        return mind.fast.goal < 0 and not (mind.left > 0 and steps[mind.goal].possible)

    def _thinks(self, mind: Mind, which: int, thought: Thought, clock: int) -> Mind:
        return mind._replace(slow=thought, next=clock + self.every) if which == SLOW else mind._replace(fast=thought)

    def _arrived(self, mind: Mind, clock: int) -> Mind:
        """Answers that are there now."""
        if mind.slow.goal >= 0 and clock >= mind.slow.due:
            mind = mind._replace(advice=mind.slow, slow=Thought())
        if mind.fast.goal >= 0 and clock >= mind.fast.due:
            mind = mind._replace(goal=mind.fast.goal, left=self.steps, fast=Thought())
        return mind

    def _acts(self, mind: Mind, steps: list[Step]) -> Answer:
        """The hands: on towards the goal; without one that can be had they wait."""
        if mind.left <= 0 or not steps[mind.goal].possible:
            return Answer(int(steps[0].move), memory=mind._replace(goal=-1, left=0))
        step = steps[mind.goal]
        mind = mind._replace(goal=-1, left=0) if step.last else mind._replace(left=mind.left - 1)
        return Answer(int(step.move), memory=mind)

    def _put(self, view: View, game: Led, mind: Mind, which: int, steps: list[Step]) -> Asked:
        """The View of one of the minds. The slow one may name any goal, since much can change until it is heard."""
        within = _within(view, mind, which)
        if which == SLOW:
            about = f"Name what matters most in the next {self.every} steps. What you write is told to the one who names the next goal."
            return asked(within, [True] * len(steps), about)
        advice = mind.advice
        said = f"The advice for now is: {game.goals[advice.goal]}. Its reasons: {advice.words[:SHOWN]!r}" if advice.goal >= 0 else ""
        return asked(within, possible(steps), said)

    def keep(self, memory: Any) -> Any:
        if memory is None:
            return None
        owns = [member.keep(own) if was else None for member, own, was in zip(self.members, memory.own, memory.asked, strict=True)]
        return [*(list(field) if isinstance(field, tuple) else field for field in memory[:-1]), owns]

    async def recall(self, view: View, kept: Any) -> Any:
        mind, game = (view.memory or Mind())._replace(asked=(False, False)), base(view.game)
        if kept is None:
            return mind
        goal, left, advice, next_, slow, fast, was, owns = kept
        now = Mind(goal, left, Thought(*advice), next_, Thought(*slow), Thought(*fast), tuple(was), mind.own)
        if steers(game, view):
            mind = self._arrived(mind, int(view.sight(base(view.game).label).clock))
        for which, member in enumerate(self.members):
            if was[which]:
                put = self._put(view, game, mind, which, ways(view, game)) if steers(game, view) else _within(view, mind, which)
                now = now._replace(own=_changed(now.own, which, await member.recall(put, owns[which])))
        return now


def _within(view: View, mind: Mind, which: int) -> View:
    return view.replace(memory=mind.own[which], member=(*view.member, which))


def _heard(mind: Mind, which: int, memory: Any) -> Mind:
    """A mind has answered."""
    return mind._replace(asked=_changed(mind.asked, which, True), own=_changed(mind.own, which, memory))


def _changed(pair: tuple[Any, Any], which: int, value: Any) -> tuple[Any, Any]:
    return (value, pair[1]) if which == 0 else (pair[0], value)
