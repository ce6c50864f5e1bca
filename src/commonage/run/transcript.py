"""What each seat saw, said and did in one match, in words: told again from the log."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from commonage import event
from commonage.agent import Agent, Answer, View
from commonage.game import Question
from commonage.run import replay, seats


class Listener(Agent):
    """Sits where an agent sat and notes what it was shown."""

    def __init__(self, notes: dict[tuple[int, int], View]) -> None:
        self.notes = notes

    async def __call__(self, view: View) -> Answer:
        self.notes[view.step, view.seat] = view
        return Answer(refused="the log ends here")

    async def recall(self, view: View, kept: Any) -> Any:
        self.notes[view.step, view.seat] = view
        return kept


def transcript(folder: str | Path, number: int) -> str:
    """The match as text: the rules once, then step by step who was asked what, having seen what, and what came of it.

    Seats go by the numbers that they had at the table, as in the words that the seats read.
    """
    found = replay.recorded(folder, number)
    views: dict[tuple[int, int], View] = {}
    rows = replay.play_again(found, [Listener(views)] * len(found.order))
    rows = [row for row in rows if not isinstance(row[3], event.Failed)] + replay.trouble(folder, found)
    place = {seat: place for place, seat in enumerate(found.order)} | {event.TABLE: event.TABLE}
    told = [(step, place[seat], attempt, what, views.get((step, seat))) for step, seat, attempt, what in rows]
    lines = [*_head(number, found), "", *_rules(views.values()), ""]
    questions = [Question(**{**question, "options": tuple(question["options"])}) for question in found.arm["questions"]]
    for _, seat, _, what, view in sorted(told, key=lambda row: (row[0], row[1] == event.TABLE, row[1], row[2])):
        lines += _tell(questions, seat, what, view, found.order)
    return "\n".join(lines)


def _head(number: int, found: replay.Recorded) -> list[str]:
    around = "".join(f" with {layer}" for layer in found.arm["spec"]["with"])
    listed = [str(seat) for seat in seats.read(found.arm["spec"]["seats"])]
    sits = [f"  seat {place + 1}: {listed[seat]}{_listed(place, seat)}" for place, seat in enumerate(found.order)]
    forked = found.arm.get("forked")
    origin = f", forked from match {forked['from'][1]} of {forked['from'][0]} at round {forked['at']}" if forked else ""
    return [f"Match {number}: {found.arm['spec']['game']}{around}; repeat {found.repeat + 1}, seed {found.arm['seed']}{origin}", *sits]


def _listed(place: int, seat: int) -> str:
    return "" if place == seat else f" (number {seat + 1} in the seat list)"


def _rules(views: Iterable[View]) -> list[str]:
    """The rules once where all read the same, else seat by seat."""
    told = {view.place: view.rules for view in views}
    if len(set(told.values())) <= 1:
        return list(set(told.values()))
    return [f"Seat {place + 1} reads: {told[place]}" for place in sorted(told)]


def _tell(questions: list[Question], seat: int, what: Any, view: View | None, order: list[int]) -> list[str]:
    who = f"  seat {seat + 1}" if seat >= 0 else "  the match"
    match what:
        case event.Moved():
            saw = [f"{who} sees: {view.facts}".replace("\n", " ")] if view else []
            question = questions[what.question]
            forced = " (the only legal move)" if what.forced else ""
            said = f": {what.says!r}" if what.says else ""
            return [*saw, f"{who} {question.name}: {question.say(what.move)} {question.unit}".rstrip() + said + forced]
        case event.Asked():
            return [f"{who} answered {what.text!r}: asked again, {what.problem}"]
        case event.Failed():
            return [f"{who} FAILED ({what.where}): {what.what}"]
        case event.Paused():
            return [f"  PAUSED: {what.what}"]
        case event.Stepped():
            over = f"; round {what.round} is over" if what.round_over else ""
            rewards = ", ".join(f"{what.rewards[listed]:g}" for listed in order)
            return [f"  round {what.round}: rewards {rewards}{over}{'; it all ends' if what.ended else ''}", ""]
        case event.Finished():
            return [f"Finished after {what.rounds} rounds."]
    return []
