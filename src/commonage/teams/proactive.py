"""A partner that plans, checks its plan, and reads what the other is about: `proactive(llm:ollama/llama3.2, steps=10)`.

The loop of ProAgent (Zhang et al. 2024, AAAI) around any mind, in a world of goals such as the kitchen: it is told what it
remembers and what its partner did, says what it thinks the partner does next, and names a goal of its own. A goal that cannot be
had is handed back with the reason; one that can is led to, a move at a time. It plans again when the goal is reached, can no longer
be had, takes too long, or when the partner did something else than it thought: the belief is then corrected by what was done.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from commonage.agent import Agent, Answer, View
from commonage.errors import SpecError
from commonage.game import base
from commonage.grid.led import Led, Step
from commonage.teams.guide import asked, named, possible, steers, together, ways


class Mind(NamedTuple):
    """What a proactive seat remembers. Goals are indices, -1 = none."""

    goal: int = -1
    left: int = 0  # moves left for it
    asked: bool = False  # whether the last answer came from the member
    belief: int = -1  # what the partner is thought to do next
    judged: int = 0  # beliefs that the partner has confirmed or belied
    right: int = 0  # confirmed ones
    clock: int = -1  # of the last step that was looked at
    lately: tuple[int, ...] = ()  # what the partner did, the latest last
    notes: tuple[str, ...] = ()  # what became of its plans and beliefs, the latest last
    own: Any = None  # what the member remembers


class Proactive(Agent):
    """`steps`: the most moves for a goal; `tries`: goals that it may name in vain before only those are offered that can be had;
    `memory`: how many of the partner's deeds and of its own notes it is told.

    The partner is the next player. Its belief is read from a line `partner: ...` of an answer, behind which stands one of the goals.
    """

    def __init__(self, member: Agent, steps: int = 10, tries: int = 3, memory: int = 4) -> None:
        for name, value in {"steps": steps, "tries": tries, "memory": memory}.items():
            if not (type(value) is int and value >= 1):
                raise SpecError(f"proactive({name}={value!r}): {name} must be a whole number, at least 1")
        self.members, self.steps, self.tries, self.memory = (member,), steps, tries, memory
        self.costs, self.boundary = member.costs, member.boundary  # type: ignore[misc]

    async def __call__(self, view: View) -> Answer:
        mind, game = view.memory or Mind(), base(view.game)
        if not steers(game, view):
            answer = await self.members[0](_within(view, mind))
            return answer._replace(memory=mind._replace(asked=True, own=answer.memory))
        mind, steps = self._observe(view, game, mind), ways(view, game)
        if mind.left > 0 and steps[mind.goal].possible:
            return _moved(steps, mind._replace(left=mind.left - 1, asked=False))._replace(usage={"calls": 0})
        return await self._plans(view, game, steps, self._given_up(view, game, mind))

    async def _plans(self, view: View, game: Led, steps: list[Step], mind: Mind) -> Answer:
        """Asks until a goal can be had: first for any, after `tries` in vain for one of those that can."""
        able, goal, answer = possible(steps), -1, Answer()
        for attempt in range(self.tries + 1):
            open = able if attempt == self.tries else [True] * len(steps)
            goal, said = await named(self.members[0], asked(_within(view, mind), open, _told(view, game, mind)))
            answer = said._replace(text=f"{answer.text}\n{said.text}".strip(), usage=together(answer.usage, said.usage))
            if goal < 0:
                return answer
            if able[goal]:
                break
            cause = f"You wanted to {game.goals[goal]}: {game.hindrance(_sight(view), goal)}."
            mind, answer = self._note(mind, cause)._replace(own=said.memory), answer._replace(text=f"{answer.text}\n({cause})")
        plan = mind._replace(goal=goal, left=self.steps - 1, asked=True, belief=believed(game, answer.text), own=answer.memory)
        return _moved(steps, plan)._replace(text=answer.text, usage=answer.usage)

    def _observe(self, view: View, game: Led, mind: Mind) -> Mind:
        """What the partner did in the last step: remembered, and held against what it was thought to do."""
        sight, belief = _sight(view), mind.belief
        clock = int(sight.clock)
        if clock == mind.clock:
            return mind
        mind, did = mind._replace(clock=clock), game.done(sight, partner(view))
        if did < 0:
            return mind
        mind = mind._replace(lately=(*mind.lately, did)[-self.memory :], belief=-1)
        if belief < 0:
            return mind
        mind = mind._replace(judged=mind.judged + 1, right=mind.right + (did == belief))
        if did == belief:
            return mind
        note = f"You thought that player {partner(view) + 1} would {game.goals[belief]}; it did: {game.goals[did]}."
        return self._note(mind, note)._replace(left=0, goal=-1)

    def _given_up(self, view: View, game: Led, mind: Mind) -> Mind:
        """A goal that was not reached is noted."""
        if mind.goal < 0:
            return mind
        why = f"that took more than {self.steps} moves" if mind.left <= 0 else game.hindrance(_sight(view), mind.goal)
        return self._note(mind, f"You wanted to {game.goals[mind.goal]}: {why}.")._replace(goal=-1, left=0)

    def _note(self, mind: Mind, note: str) -> Mind:
        return mind._replace(notes=(*mind.notes, note)[-self.memory :])

    def keep(self, memory: Any) -> Any:
        return None if memory is None else [*memory[:-1], self.members[0].keep(memory.own) if memory.asked else None]

    async def recall(self, view: View, kept: Any) -> Any:
        mind, game = view.memory or Mind(), base(view.game)
        now = Mind(*kept)._replace(lately=tuple(kept[7]), notes=tuple(kept[8])) if kept else Mind(asked=True)
        if not now.asked:
            return now._replace(own=mind.own)
        within = _within(view, mind)
        put = asked(within, [True] * len(game.goals), _told(view, game, now)) if steers(game, view) else within
        return now._replace(own=await self.members[0].recall(put, now.own))


def partner(view: View) -> int:
    """The place of the next player."""
    return (view.place + 1) % view.game.seats


def believed(game: Led, text: str) -> int:
    """The goal that an answer's line `partner: ...` names; -1 where there is none, or it names none."""
    lines = re.findall(r"(?im)^\s*partner\s*:\s*(.+?)\s*\.?\s*$", text)
    return next((i for i, goal in enumerate(game.goals) if lines and goal.lower() == lines[-1].lower()), -1)


def _told(view: View, game: Led, mind: Mind) -> str:
    """What it is told besides the facts."""
    who = f"Player {partner(view) + 1}"
    lately = f"{who} lately: {', '.join(game.goals[goal] for goal in mind.lately)}." if mind.lately else ""
    score = f"Of your {mind.judged} guesses about it {mind.right} were right." if mind.judged else ""
    ask = f"Before your last line write what {who.lower()} does next, as one of the goals: a line 'partner: ' and the goal."
    return "\n".join(filter(None, (lately, score, *mind.notes, ask)))


def _sight(view: View) -> Any:
    return view.sight(base(view.game).label)


def _within(view: View, mind: Mind) -> View:
    return view.replace(memory=mind.own, member=(*view.member, 0))


def _moved(steps: list[Step], mind: Mind) -> Answer:
    step = steps[mind.goal]
    return Answer(int(step.move), memory=mind._replace(goal=-1, left=0) if step.last else mind)
