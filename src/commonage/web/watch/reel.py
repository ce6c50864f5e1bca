"""The states of one match, played again from its log by the rules and the recorded moves: from the nearest state before that is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from commonage import event
from commonage.game import numpy
from commonage.run import replay
from commonage.run.match import Past
from commonage.store import ranges
from commonage.store.ranges import Standing

EVERY = 256  # steps between two states that are kept
STRETCH = 2_048  # steps that are read together


class Reel:
    """Of one match; for several threads."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number, self.lock = folder, number, threading.Lock()
        self.kept: dict[int, replay.Moment] = {}

    def at(self, step: int) -> replay.Moment:
        """After so many steps, 0 its start. Raises LogError where its rules are no longer those of the log."""
        with self.lock, ranges.opened(self.folder) as log:
            before = max((kept for kept in self.kept if kept <= step), default=None)
            nearest = None if before is None else self.kept[before]
            for moment in self._after(log, nearest, step):
                nearest = moment
                if moment.step % EVERY == 0 or moment.step == step:
                    self._keep(moment)
            assert nearest is not None
            return nearest

    def _after(self, log: ranges.Ranges, nearest: replay.Moment | None, step: int) -> Iterator[replay.Moment]:
        """Those behind the nearest that is known, to this step."""
        standing = log.standing(self.number)
        assert standing is not None
        if nearest is None:
            nearest = next(replay.moments(self._recorded(log, standing, 0, 0)))
            yield nearest
        for first in range(nearest.step, step, STRETCH):
            for moment in replay.moments(self._recorded(log, standing, first, min(first + STRETCH, step)), nearest):
                nearest = moment
                yield moment

    def _recorded(self, log: ranges.Ranges, standing: Standing, first: int, end: int) -> replay.Recorded:
        """The match with what happened in the steps first..end, without the last; the rounds of those before are not needed."""
        rows = log.events(self.number, (first, end - 1)) if end > first else []
        turns = {step: what for step, _, _, what in rows if isinstance(what, event.Stepped)}
        moves = {(step, seat): what for step, seat, _, what in rows if isinstance(what, event.Moved)}
        return replay.Recorded(
            self.number, log.header(standing.arm), standing.repeat, standing.order, Past(moves),
            {step: what.rewards for step, what in turns.items()}, [0] * first + [what.round for what in turns.values()],
            standing.rounds, standing.status, standing.generation,
        )  # fmt: skip

    def _keep(self, moment: replay.Moment) -> None:
        """Every so many steps one, and of the others the one that was asked for last."""
        for stray in [step for step in self.kept if step % EVERY]:
            del self.kept[stray]
        self.kept[moment.step] = moment


def scene(moment: replay.Moment) -> list[dict[str, Any]]:
    """The picture of the table, as shapes."""
    return list(moment.game.scene(numpy(moment.state)))
