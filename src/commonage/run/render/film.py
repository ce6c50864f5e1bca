"""A match as a film: its scenes played again from the log, each different shape kept once. Knows nothing of how it is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from commonage import spec
from commonage.errors import SpecError
from commonage.game import base, numpy
from commonage.run import replay, seats

Shape = dict[str, Any]  # as in Game.scene


class Frame(NamedTuple):
    """One picture: the match after so many steps."""

    step: int
    round: int
    rewards: tuple[str, ...]  # so far, by place at the table
    shapes: tuple[int, ...]  # indices into the film's shapes, in the order in which they are drawn


class Film(NamedTuple):
    """Pictures of one match."""

    number: int
    title: str  # `cleanup with talk`
    seats: tuple[str, ...]  # who sits there, by place at the table
    shapes: list[Shape]
    frames: list[Frame]


def film(found: replay.Recorded, steps: Collection[int]) -> Film:
    """The match after each of these steps. Raises SpecError where its game draws nothing."""
    known: dict[tuple[Any, ...], int] = {}
    shapes: list[Shape] = []
    frames = []
    for moment in replay.moments(found):
        if moment.step in steps:
            scene = moment.game.scene(numpy(moment.state))
            if not scene:
                raise SpecError(f"{base(moment.game).name} has no picture: its `scene` draws nothing")
            rewards = tuple(f"{round(float(reward), 2) + 0:g}" for reward in moment.rewards)
            frames.append(Frame(moment.step, moment.round, rewards, tuple(_kept(scene, known, shapes))))
        if moment.step >= max(steps):
            break
    listed = [str(seat) for seat in seats.read(found.arm["spec"]["seats"])]
    played = spec.title(found.arm["spec"]["game"], found.arm["spec"]["with"])
    return Film(found.number, played, tuple(listed[seat] for seat in found.order), shapes, frames)


def _kept(scene: Iterable[Shape], known: dict[tuple[Any, ...], int], shapes: list[Shape]) -> Iterable[int]:
    """The number of each shape; those that are new are kept."""
    for shape in scene:
        number = known.setdefault(tuple(shape.items()), len(shapes))
        if number == len(shapes):
            shapes.append(shape)
        yield number
