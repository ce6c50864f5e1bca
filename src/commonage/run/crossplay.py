"""Cross-play: everybody plays with everybody, in either seat, so that partners who only suit themselves are found out (Hu et al. 2020)."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from commonage import spec
from commonage.errors import SpecError
from commonage.measure import figures, intervals, words
from commonage.measure.contract import Played
from commonage.measure.intervals import Interval
from commonage.models.limits import Limits
from commonage.run import seats
from commonage.run.study import Arm, Study

SUMS = {"own kind": "with its own kind", "others": "with the others", "proximity": "best-response proximity"}


class Crossplay(NamedTuple):
    """What everybody got beside everybody. Return: all rewards of a match, also those of mechanisms. NaN: the match failed."""

    game: str
    players: tuple[str, ...]
    returns: np.ndarray  # float64[first, second, seat, repeats]: where these players take the first and the second seat

    @property
    def scores(self) -> np.ndarray:
        """float64[first, second, repeats]: the mean of both returns, which are the same where the game pays both alike."""
        return self.returns.mean(2)

    @property
    def mine(self) -> np.ndarray:
        """float64[player, partner, repeats]: a player's return beside a partner, the mean over both ways to sit."""
        first, second = self.returns[:, :, 0], self.returns[:, :, 1]
        return (first + second.swapaxes(0, 1)) / 2

    @property
    def self_play(self) -> Interval:
        """The score of pairs of one kind, the mean over players."""
        return intervals.known(self._kinds[0])

    @property
    def cross_play(self) -> Interval:
        """The score of pairs of two kinds, the mean over ordered pairs."""
        return intervals.known(self._kinds[1])

    @property
    def gap(self) -> Interval:
        """Self-play less cross-play, paired over repeats."""
        own, other = self._kinds
        return intervals.known(own - other)

    @property
    def _kinds(self) -> tuple[np.ndarray, np.ndarray]:
        """float64[repeats] each: mean scores of pairs of one kind, and of two."""
        same = np.eye(len(self.players), dtype=bool)
        return self.scores[same].mean(0), self.scores[~same].mean(0)

    @property
    def proximity(self) -> np.ndarray:
        """float64[player, repeats]: its return over that of the best response to the same partner in the same seat, the mean over partners
        and seats (BR-Prox of Wang et al. 2024, ZSC-Eval).

        The best response is the best on average of the players here, and its average is taken as known: so 1 is the best of these, not
        the best there is. NaN where the best response to some partner earns nothing.
        """
        sat = np.stack([self.returns[:, :, 0], self.returns[:, :, 1].swapaxes(0, 1)], 2)  # [player, partner, seat, repeats]
        played = ~np.isnan(sat)
        best = (np.nan_to_num(sat).sum(3) / np.maximum(played.sum(3), 1)).max(0)
        return (sat / np.where(best > 0, best, np.nan)[..., None]).mean((1, 2))


def crossplay(
    game: Any,
    players: Any,
    repeats: int = 20,
    seed: int = 0,
    *,
    mechanisms: Sequence[Any] = (),
    sets: dict[str, Any] | None = None,
    out: str | Path | None = None,
    limits: Limits | dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Crossplay:
    """Plays every ordered pair of `players`, themselves included, at a table of two.

    Repeats are the same for all pairs, so that differences are paired. The log goes to `out`, or is not kept. Raises SpecError where
    the table has not two seats, for fewer than two players, and where one costs and no budget covers it, as a Study does.
    """
    played, listed = spec.game(game, tuple(mechanisms), sets or {}), seats.read(players)
    names = tuple(seats.write([who]) for who in listed)
    if played.seats != 2:
        raise SpecError(f"crossplay: {spec.tower(played)[0]} has {played.seats} seats: it pairs players at tables of two")
    if len(set(names)) != len(names) or len(names) < 2:
        raise SpecError(f"crossplay: {seats.write(listed)!r}: at least two players, each of them once")
    arms = [Arm(played, list(pair), (), seats.write(pair)) for pair in itertools.product(listed, repeat=2)]
    study = Study(arms=arms, repeats=repeats, seed=seed, name="crossplay", limits=limits or Limits())
    with tempfile.TemporaryDirectory() as folder:
        tables = study.run(out or Path(folder) / "run", progress).tables
        returns = Played.of(tables).returns(2, repeats).reshape(len(names), len(names), 2, repeats)
    return Crossplay(spec.title(*spec.tower(played)), names, returns)


def text(found: Crossplay) -> str:
    """The matrix, and below it each player with its own kind, with the others, and beside the best response."""
    wide, n = max(len("first seat"), *map(len, found.players)), len(found.players)
    said = np.array(words.means([intervals.cell(each) for each in found.scores.reshape(n * n, -1)])).reshape(n, n)
    columns = [[name, *column] for name, column in zip(found.players, said.T.tolist(), strict=True)]
    lines = ["mean of both, by who has the second seat:", *words.table(["first seat", *found.players], columns, wide)]
    sums = by_player(found)
    rows = [[title, *words.means([row[key] for row in sums])] for key, title in SUMS.items()]
    lines += ["", *words.table(["", *found.players], rows, wide)]
    own, other, gap = ({**one._asdict(), "unit": "points"} for one in _totals(found))
    own, other, gap = *words.means([own, other]), *words.means([gap], sign=True)
    return "\n".join([*lines, "", f"self-play {own}, cross-play {other}, difference {gap}"])


def by_player(found: Crossplay) -> list[dict[str, Any]]:
    """For each player the sums of `SUMS` as cells: its mean return with its own kind and with others, and its proximity."""
    others = ~np.eye(len(found.players), dtype=bool)
    each = zip(found.mine, others, found.proximity, strict=True)
    return [
        {
            "player": name,
            "own kind": intervals.cell(mine[i]),
            "others": intervals.cell(mine[other].mean(0)),
            "proximity": intervals.cell(near, ""),
        }
        for i, (name, (mine, other, near)) in enumerate(zip(found.players, each, strict=True))
    ]


def figure(found: Crossplay) -> str:
    """The matrix of scores as SVG text."""
    cells = [[intervals.cell(each) for each in row] for row in found.scores]
    return figures.matrix(f"Score in {words.short(found.game, 40)}, rows: first seat", found.players, found.players, cells)


def summary(found: Crossplay) -> dict[str, Any]:
    """The same as JSON."""
    pairs = itertools.product(enumerate(found.players), repeat=2)
    matrix = [
        {
            "first": one,
            "second": other,
            "score": intervals.cell(found.scores[i, j]),
            "returns": [intervals.cell(each) for each in found.returns[i, j]],
        }
        for (i, one), (j, other) in pairs
    ]
    totals = dict(zip(("self_play", "cross_play", "gap"), (one._asdict() for one in _totals(found)), strict=True))
    return {"game": found.game, "players": list(found.players), "matrix": matrix, "by_player": by_player(found), **totals}


def _totals(found: Crossplay) -> tuple[Interval, Interval, Interval]:
    return found.self_play, found.cross_play, found.gap
