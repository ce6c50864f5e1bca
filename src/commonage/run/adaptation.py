"""What it costs when a partner changes in the middle, and how soon it is made good: each player beside one who is handed over."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from commonage import spec
from commonage.errors import SpecError
from commonage.game import base
from commonage.measure import figures, intervals, words
from commonage.measure.contract import KEYS, Played, Tables
from commonage.measure.style import color
from commonage.models.limits import Limits
from commonage.run import seats
from commonage.run.study import Arm, Study


class Adaptation(NamedTuple):
    """What each player and its partner scored, round by round: beside a partner who changes, and beside who comes, from the start.

    A round's score is the mean of both returns, and the mean over both ways to sit; a round that was not reached pays nothing.
    NaN: the match failed.
    """

    game: str
    players: tuple[str, ...]
    before: str  # the partner of the first rounds,
    then: str  # and who comes in its place
    after: int  # rounds that the first plays
    scores: np.ndarray  # float64[player, (the partner changes, who comes was there from the start), rounds, repeats]

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """float64[player, repeats] each: the score of a round before the change, after it, of the same rounds beside who comes from the
        start, and the last less the middle one, paired: what the change cost a round."""
        early, late = slice(None, self.after), slice(self.after, None)
        first, then, known = (part.mean(1) for part in (self.scores[:, 0, early], self.scores[:, 0, late], self.scores[:, 1, late]))
        return {"before": first, "then": then, "known": known, "cost": known - then}


def adaptation(
    game: Any,
    players: Any,
    partners: str,
    after: int,
    repeats: int = 20,
    seed: int = 0,
    *,
    mechanisms: Sequence[Any] = (),
    sets: dict[str, Any] | None = None,
    out: str | Path | None = None,
    limits: Limits | dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Adaptation:
    """Plays each of `players`, in both seats of a table of two, beside the first of `partners`, in whose place the second comes after so
    many rounds; and beside the second from the start, which is what the change is held against, repeat by repeat.

    The log goes to `out`, or is not kept. Raises SpecError where the table has not two seats, for other than two partners, where no
    round is left before or after the change, and where somebody costs and no budget covers it, as a Study does.
    """
    played, listed, both = spec.game(game, tuple(mechanisms), sets or {}), seats.read(players), seats.read(partners)
    names, rounds = tuple(seats.write([who]) for who in listed), base(played).rounds
    _check(played, names, both, after, rounds)
    first, then = (seats.write([who]) for who in both)
    changing = seats.read(f"relay({first},{then},after={after})")
    tables = itertools.product(listed, (changing[0], both[1]), (False, True))
    arms = [Arm(played, [other, who] if second else [who, other], ()) for who, other, second in tables]
    study = Study(arms=arms, repeats=repeats, seed=seed, name="adapt", limits=limits or Limits())
    with tempfile.TemporaryDirectory() as folder:
        scores = by_round(study.run(out or Path(folder) / "run", progress).tables, rounds, repeats)
    scores = scores.reshape(len(names), 2, 2, rounds, repeats).mean(2)
    return Adaptation(spec.title(*spec.tower(played)), names, first, then, after, scores)


def _check(game: Any, names: Sequence[str], partners: Sequence[Any], after: Any, rounds: int) -> None:
    if game.seats != 2:
        raise SpecError(f"adapt: {spec.tower(game)[0]} has {game.seats} seats: it needs a table of two")
    if len(set(names)) != len(names):
        raise SpecError(f"adapt: {', '.join(names)}: each of the players once")
    if len(partners) != 2:
        raise SpecError(f"partners={seats.write(partners)!r}: two of them, as in chef,random: who plays first, and who comes then")
    if not (type(after) is int and 0 < after < rounds):
        raise SpecError(f"after={after!r}: a whole number of rounds, 1 to {rounds - 1}, so that some are left after the change")


def by_round(tables: Tables, rounds: int, repeats: int) -> np.ndarray:
    """float64[arms, rounds, repeats]: the mean of all seats' rewards; 0 where a match had ended, NaN where it was not finished."""
    played = Played.of(tables)
    score = pl.col("reward").cast(pl.Float64).sum() / pl.col("seat").n_unique()
    rows = played.moves.group_by(*KEYS, "round").agg(score).join(played.matches.select(*KEYS, "repeat"), on=KEYS)
    found = np.full((len(played.arms), rounds, repeats), np.nan)
    found[played.matches["arm"], :, played.matches["repeat"]] = 0.0
    found[rows["arm"], rows["round"] - 1, rows["repeat"]] = rows["reward"]
    return found


def text(found: Adaptation) -> str:
    """The parts by player."""
    titles = {
        "before": f"before the change, beside {found.before}",
        "then": f"after it, beside {found.then}",
        "known": f"the same rounds beside {found.then} from the start",
        "cost": "the change cost a round",
    }
    parts = {key: words.means([intervals.cell(each) for each in part], sign=key == "cost") for key, part in found.parts.items()}
    columns = list(zip(found.players, *(parts[key] for key in titles), strict=True))
    head = f"score of a round (mean of both); the partner changes after round {found.after}:"
    return "\n".join([head, *words.table(["", *titles.values()], columns)])


def figure(found: Adaptation) -> str:
    """Scores over rounds as SVG text, by player, beside the partner who changes; "" where every match failed."""
    drawn = [
        figures.sampled(name, color(place), range(1, scores.shape[1] + 1), scores[0])
        for place, (name, scores) in enumerate(zip(found.players, found.scores, strict=True))
    ]
    rows = [curve for curve in drawn if len(curve.x)]
    title = f"Score of a round in {words.short(found.game, 26)}; then {words.short(found.then, 20)}"
    return figures.curves(title, rows, mark=found.after + 0.5) if rows else ""


def summary(found: Adaptation) -> dict[str, Any]:
    """The same as JSON."""
    parts = found.parts
    cells = [{key: intervals.cell(part[i]) for key, part in parts.items()} for i in range(len(found.players))]
    rows = [{"player": name, **cell} for name, cell in zip(found.players, cells, strict=True)]
    return {"game": found.game, "partners": [found.before, found.then], "after": found.after, "players": rows}
