"""A view in words: what lies where, seen from oneself, the nearest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from commonage.grid.kernel import WHO

FACING = ("north", "east", "south", "west")
NEAREST = 5  # of each kind so many are told apart
GROUND = ("unseen", "floor", "wall", "water")  # told only where it is next to the reader
SIDES = {"ahead": (1, 0), "behind": (-1, 0), "left": (0, -1), "right": (0, 1)}


def around(
    view: np.ndarray, me: tuple[int, int], facing: int, things: Sequence[str], players: np.ndarray, ours: bool
) -> list[str]:  # fmt: skip
    """Sentences on a view, uint8[lines, columns], of somebody at `me` in it; `ours`: it turns with its owner, else north is up.

    `players` int32[seats, 3]: row, column and facing of each who is seen.
    """
    lines, columns = np.indices(view.shape, np.int32)
    far, right = _turned(me[0] - lines, columns - me[1], 0 if ours else facing)
    ground, who = view % WHO, view // WHO
    other = (who > 0) & ((far != 0) | (right != 0))
    near = [f"{side} {_what(view[(far == a) & (right == b)], things)}" for side, (a, b) in SIDES.items()]
    said = [f"Next to you: {', '.join(near)}."]
    for code, thing in enumerate(things):
        if thing not in GROUND and (ground == code).any():
            said.append(_listed(thing, [places(a, b) for a, b in _nearest(far, right, ground == code)], int((ground == code).sum())))
    for a, b in _nearest(far, right, other, most=WHO):
        number = int(who[(far == a) & (right == b)][0])
        said.append(f"Player {number}: {places(a, b)}, facing {FACING[players[number - 1, 2]]}.")
    return said


def _turned(north: Any, east: Any, facing: int) -> tuple[np.ndarray, np.ndarray]:
    """(ahead, right) of who faces there."""
    return ((north, east), (east, -north), (-north, -east), (-east, north))[facing]


def _what(cell: np.ndarray, things: Sequence[str]) -> str:
    if not len(cell):
        return "nothing that you see"
    code = int(cell[0])
    return f"player {code // WHO}" if code >= WHO else things[code]


def _nearest(far: np.ndarray, right: np.ndarray, mask: np.ndarray, most: int = NEAREST) -> list[tuple[int, int]]:
    spots = zip(far[mask].tolist(), right[mask].tolist(), strict=True)
    return sorted(spots, key=lambda spot: (abs(spot[0]) + abs(spot[1]), spot))[:most]


def places(ahead: int, right: int) -> str:
    """`2 ahead 1 left`; `under you` where both are 0."""
    parts = [f"{abs(n)} {yes if n > 0 else no}" for n, yes, no in ((ahead, "ahead", "behind"), (right, "right", "left")) if n]
    return " ".join(parts) or "under you"


def _listed(thing: str, spots: list[str], count: int) -> str:
    more = f"; {count - len(spots)} more further away" if count > len(spots) else ""
    return f"{thing.capitalize()} ({count}): {'; '.join(spots)}{more}."


def steps(count: int) -> str:
    """`1 step`, `3 steps`."""
    return f"{int(count)} step{'s' * (int(count) != 1)}"
