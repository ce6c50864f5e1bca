"""A person behind a page, as an agent: gets what a remote agent gets, `View.json()`, and a picture of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from commonage.agent import Agent, Answer, View
from commonage.agents.human import Human, rests
from commonage.game import numpy
from commonage.web.picture import picture
from commonage.web.sit.person import Open, Person, clock

if TYPE_CHECKING:
    from commonage.web.sit.room import Table


class Guest(Agent):
    """Sits for a `human` in one match."""

    boundary = "person"

    def __init__(self, person: Person, table: Table, human: Human) -> None:
        self.person, self.table, self.house = person, table, table.room.house
        self.substitute, self.tick, self.due = human.substitute, human.tick, 0.0

    async def __call__(self, view: View) -> Answer:
        if why := await self.table.ready(self.person):
            return Answer(refused=why)
        question, asked = self.ask(view), clock()
        await self.person.answers(question, self.house.grace)
        usage = {"seconds": round(clock() - asked, 3)}
        if question.given:
            move, says, text = question.given
            self.person.show("now", "wait", answered=question.id, text=text)
            return Answer(move, text, says, memory="met", usage=usage)
        if clock() >= self.person.waited_for(self.house.grace):
            return Answer(refused=f"the person was away for longer than {self.house.grace:g} s")
        if question.real_time:  # who presses nothing stays: the study says so with `tick`
            return Answer(view.question.neutral, memory="met", usage={**usage, "silent": 1})
        return Answer(refused=f"no answer within {self.house.clock:g} s")

    def ask(self, view: View) -> Open:
        """Puts the question on the page."""
        real_time = bool(self.tick) and rests(view.question) and view.allows(view.question.neutral)
        self.due = max(self.due + self.tick, clock())  # ticks follow each other, however long a step took
        until = self.due if real_time else clock() + (self.house.clock or math.inf)
        words = view.question.options[1] if view.question.speech and view.allows(1) else ""
        question = Open(f"{self.table.match}.{view.step}.{view.seat}.{view.attempt}", view, until, real_time)
        self.person.show(
            "now", "ask", id=question.id, until=until, real_time=real_time, view=view.json(), words=words,
            picture=picture(view.game.glimpse(numpy(view.state), view.place)),
            said=self.table.said.get(view.seat, []), who=self.table.who(), match=self.table.match, of=self.table.room.matches,
        )  # fmt: skip
        return question
