"""A person at the terminal: reads rules and facts, types one option or one number. `quit` leaves the table."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any

from commonage.agent import Agent, Answer, View, read
from commonage.errors import Unreadable

TERMINAL = threading.Lock()  # one conversation at a time


class Human(Agent):
    """Asks until the line can be read; a person who leaves is a recorded cause, never a move.

    All that is said to the person goes to the error stream: results may be on their way into a file.
    """

    boundary = "person"

    def __init__(self, name: str = "") -> None:
        self.name = name

    async def __call__(self, view: View) -> Answer:
        return await _aside(self._converse, view)

    def _converse(self, view: View) -> Answer:
        with TERMINAL:
            _say(self._page(view))
            while (line := _line()).lower() != "quit":
                try:
                    move, says = read(view, line)
                except Unreadable as problem:
                    _say(f"Sorry, {problem}. (`quit` leaves the table.)")
                else:
                    return Answer(move, line, says, memory="met")
            _say("")  # what is printed next begins a line of its own: nobody pressed Enter where the input ended
        return Answer(memory="met", refused="the person left")

    def _page(self, view: View) -> str:
        heard = [f"  seat {said.place + 1} said: {said.text!r}" for said in view.heard if said.round >= view.round - 1]
        you = f"{self.name}, seat {view.place + 1}" if self.name else f"seat {view.place + 1}"
        rules = [] if view.memory else [f"\nYou are {you}.", view.rules]
        return "\n".join([*rules, "", view.facts, *heard, f"{you}: {view.question.name}? {_choice(view)}"])


def _choice(view: View) -> str:
    if view.amount:
        return f"{view.amount[0]} to {view.amount[1]} {view.question.unit}".strip()
    options, question = view.options, view.question
    if len(options) > 12:
        return f"{options[0]} to {options[-1]}"
    return " | ".join(f"{option}: ..." if question.speech and option == question.options[1] else option for option in options)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _line() -> str:
    print("> ", end="", file=sys.stderr, flush=True)
    try:
        return input().strip()
    except EOFError:
        return "quit"


async def _aside(work: Callable[[View], Answer], view: View) -> Answer:
    """`asyncio.to_thread`, but nobody waits for the thread in the end: Ctrl-C is enough, without Enter."""
    loop, done = asyncio.get_running_loop(), asyncio.Future[Any]()

    def settle(answer: Answer | None, error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(answer)

    def run() -> None:
        try:
            outcome: Any = (work(view), None)
        except BaseException as error:
            outcome = (None, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True).start()
    return await done
