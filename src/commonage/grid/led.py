"""What a world offers to whoever names goals in place of single moves: `guide`, `proactive`, `three_speed`."""

from __future__ import annotations

from typing import Any, NamedTuple

from jax import Array


class Step(NamedTuple):
    """The next move towards a goal."""

    move: Array  # int32[]
    last: Array  # bool[]: it reaches the goal
    possible: Array  # bool[]: the goal can be had, and there is a way to it


class Led:
    """A game in which goals can be named: `goals`, and `ways` to them. A goal is an index into `goals`; the first is to wait."""

    @property
    def goals(self) -> tuple[str, ...]:
        """What a seat may want, in words; all of it, whether or not it can be had now."""
        raise NotImplementedError

    def ways(self, sight: Any) -> list[Step]:
        """The next move of a seat towards each of the goals; `sight` is its own row of the game's sight."""
        raise NotImplementedError

    def hindrance(self, sight: Any, goal: int) -> str:
        """Why there is no way to a goal, in words."""
        return "there is none in view, or no way to it"

    def done(self, sight: Any, seat: int) -> int:
        """The goal that another seat, by its place, has reached in the last step as far as this one sees; -1 = none."""
        return -1
