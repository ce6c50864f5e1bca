"""A person at the terminal: reads rules and facts, types one option or one number. `quit` leaves the table."""

from __future__ import annotations

import asyncio

from commonage.agent import Agent, Answer, View, read
from commonage.errors import Unreadable


class Human(Agent):
    """Asks until the line can be read; a person who leaves is a recorded cause, never a move."""

    boundary = "person"

    def __init__(self, name: str = "") -> None:
        self.name = name

    async def __call__(self, view: View) -> Answer:
        print(self._page(view), flush=True)
        while True:
            try:
                line = (await asyncio.to_thread(input, "> ")).strip()
            except EOFError:
                line = "quit"
            if line.lower() == "quit":
                return Answer(memory="met", refused="the person left")
            try:
                move, says = read(view, line)
            except Unreadable as problem:
                print(f"Sorry, {problem}. (`quit` leaves the table.)", flush=True)
            else:
                return Answer(move, line, says, memory="met")

    def _page(self, view: View) -> str:
        heard = [f"  seat {said.seat + 1} said: {said.text!r}" for said in view.heard if said.round >= view.round - 1]
        rules = [] if view.memory else [f"\nYou are {self.name or 'seat ' + str(view.place + 1)}.", view.rules]
        options = list(view.options)
        few = len(options) <= 12 and bool(view.question.options)
        choice = " | ".join(options) if few else f"{options[0]} to {options[-1]} {view.question.unit}"
        return "\n".join([*rules, "", view.facts, *heard, f"{view.question.name}? {choice.strip()}"])
