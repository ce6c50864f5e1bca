"""A person: reads rules and facts, answers one option or one number; at the terminal, or with `--web` before a page.

Who seats people elsewhere than at the terminal is a `Host`:

    with hosting(room):
        await study.arun("runs/mine")
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from commonage.agent import Agent, Answer, View, read
from commonage.errors import Pause, SpecError, Unreadable
from commonage.game import Question

TERMINAL = threading.Lock()  # one conversation at a time


class Host(Protocol):
    """Seats people elsewhere than at the terminal, and hears what happens at their tables."""

    at_once: int  # matches with people that it can hold at a time

    def seat(self, match: int, seat: int, human: Human) -> Agent:
        """Who plays for a `human` seat (its place in the seat list) of a match."""
        ...

    def hear(self, match: int, step: int, seat: int, what: Any) -> None:
        """An event of a match; first, of one that goes on, all that its log holds."""
        ...


def rests(question: Question) -> bool:
    """Whether its neutral move is to do nothing, so that a clock may tick over who presses nothing."""
    return bool(question.options) and question.options[question.neutral] in ("stay", "wait")


_HOST: ContextVar[Host | None] = ContextVar("host", default=None)


def host() -> Host | None:
    """Who seats people in what runs here; None: they sit at the terminal."""
    return _HOST.get()


@contextmanager
def hosting(host: Host) -> Generator[None]:
    """Inside of it studies seat their people there."""
    token = _HOST.set(host)
    try:
        yield
    finally:
        _HOST.reset(token)


class Human(Agent):
    """At the terminal, or with `--web` before a page. `quit` leaves the table: a recorded cause, never a move.

    `substitute`, a policy, plays on where the person leaves or runs out of time. In games of many small steps `tick` is the
    seconds that each takes, and who presses nothing stays: that is the study's own rule then, and needs a page.
    All that is said at the terminal goes to the error stream: results may be on their way into a file.
    """

    boundary = "person"

    def __init__(self, name: str = "", substitute: Agent | None = None, tick: float = 0) -> None:
        self.name, self.substitute, self.tick = name, substitute, tick
        if isinstance(tick, bool) or not isinstance(tick, int | float) or not (tick == 0 or 0.05 <= tick <= 60):
            raise SpecError(f"human(tick={tick}): seconds a step takes, 0.05 to 60, or 0: it waits for the person")

    async def __call__(self, view: View) -> Answer:
        if self.tick:
            raise Pause(f"human(tick={self.tick:g}): nobody plays in real time at a terminal; add --web, or leave tick out")
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
