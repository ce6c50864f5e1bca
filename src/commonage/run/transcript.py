"""What each seat saw, said and did in one match, in words: told again from the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commonage import event, spec
from commonage.agent import Agent, Answer, View
from commonage.game import Game
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
    """The match as text: the rules once, then step by step who was asked what, having seen what, and what came of it."""
    found = replay.recorded(folder, number)
    game = spec.game(found.arm["spec"]["game"], found.arm["spec"]["with"])
    views: dict[tuple[int, int], View] = {}
    rows = replay.play_again(found, game, [Listener(views)] * game.seats)
    rows = [row for row in rows if not isinstance(row[3], event.Failed)] + replay.trouble(folder, found)
    names = _names(found)
    lines = [_head(number, found, names), "", *_rules(game, found.order, names)]
    for step, seat, attempt, what in sorted(rows, key=lambda row: (row[0], row[1] == event.TABLE, row[1], row[2])):
        lines += _tell(game, step, seat, what, views.get((step, seat)), names)
    return "\n".join(lines)


def _names(found: replay.Recorded) -> list[str]:
    """Who sits where in the seat list, and what they are called at a table whose seats were permuted."""
    listed = [str(seat) for seat in seats.read(found.arm["spec"]["seats"])]
    place = {seat: place for place, seat in enumerate(found.order)}
    return [name if place[i] == i else f"{name}, at the table: seat {place[i] + 1}" for i, name in enumerate(listed)]


def _head(number: int, found: replay.Recorded, names: list[str]) -> str:
    around = "".join(f" with {layer}" for layer in found.arm["spec"]["with"])
    return f"Match {number}: {found.arm['spec']['game']}{around}; {', '.join(names)}; repeat {found.repeat + 1}, seed {found.arm['seed']}"


def _rules(game: Game, order: list[int], names: list[str]) -> list[str]:
    """The rules once where all read the same, else seat by seat."""
    told = {seat: game.rules(place) for place, seat in enumerate(order)}
    if len(set(told.values())) == 1:
        return [told[0], ""]
    return [f"{_who(seat, names)} reads: {told[seat]}" for seat in sorted(told)] + [""]


def _who(seat: int, names: list[str]) -> str:
    return f"seat {seat + 1} ({names[seat]})"


def _tell(game: Game, step: int, seat: int, what: Any, view: View | None, names: list[str]) -> list[str]:
    match what:
        case event.Moved():
            saw = [f"  {_who(seat, names)} sees: {view.facts}".replace("\n", " ")] if view else []
            question = game.questions[what.question]
            forced = " (the only legal move)" if what.forced else ""
            said = f": {what.says!r}" if what.says else ""
            return [*saw, f"  {_who(seat, names)} {question.name}: {question.say(what.move)} {question.unit}".rstrip() + said + forced]
        case event.Asked():
            return [f"  {_who(seat, names)} answered {what.text!r}: asked again, {what.problem}"]
        case event.Failed():
            who = _who(seat, names) if seat >= 0 else "the match"
            return [f"  {who} FAILED ({what.where}): {what.what}"]
        case event.Paused():
            return [f"  PAUSED: {what.what}"]
        case event.Stepped():
            rewards = ", ".join(f"{reward:g}" for reward in what.rewards)
            over = f"; round {what.round} is over" if what.round_over else ""
            return [f"step {step + 1}, round {what.round}: rewards {rewards}{over}{'; it all ends' if what.ended else ''}", ""]
        case event.Finished():
            return [f"Finished after {what.rounds} rounds."]
    return []
