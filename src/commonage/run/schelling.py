"""Schelling diagrams: what one earns by cooperating or defecting, by how many of the others cooperate (Schelling 1973)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from commonage import spec
from commonage.errors import SpecError
from commonage.measure import figures, intervals, words
from commonage.measure.contract import Played, Tables
from commonage.measure.intervals import Interval
from commonage.models.limits import Limits
from commonage.run import seats
from commonage.run.study import Arm, Study

TESTS = (
    "mutual cooperation pays more than mutual defection",
    "mutual cooperation pays more than to cooperate alone",
    "fear, defecting pays more where nobody else cooperates",
    "greed, defecting pays more where everybody else cooperates",
)
VERDICTS = {True: "yes", False: "no", None: "open"}


class Schelling(NamedTuple):
    """R_c(l + 1) and R_d(l), the mean returns of those who cooperate and of those who defect beside l other cooperators, repeat by
    repeat; and whether they make a social dilemma (Hughes et al. 2018, section 2.1).

    Return: all rewards of a match, also those of mechanisms. NaN: the match failed.
    """

    game: str
    cooperate: str  # who cooperates
    defect: str
    cooperators: np.ndarray  # float64[seats, repeats], by l: R_c(l + 1)
    defectors: np.ndarray  # float64[seats, repeats], by l: R_d(l)

    @property
    def better(self) -> Interval:
        """R_c(N) - R_d(0): what mutual cooperation pays more than mutual defection."""
        return intervals.known(self.cooperators[-1] - self.defectors[0])

    @property
    def safe(self) -> Interval:
        """R_c(N) - R_c(1): what mutual cooperation pays more than to be exploited by all others."""
        return intervals.known(self.cooperators[-1] - self.cooperators[0])

    @property
    def fear(self) -> Interval:
        """R_d(0) - R_c(1): what defecting pays more where nobody else cooperates."""
        return intervals.known(self.defectors[0] - self.cooperators[0])

    @property
    def greed(self) -> Interval:
        """R_d(N - 1) - R_c(N): what defecting pays more where everybody else cooperates."""
        return intervals.known(self.defectors[-1] - self.cooperators[-1])

    @property
    def dilemma(self) -> bool | None:
        """Whether mutual cooperation is better and safe, and there is fear or greed; None: these repeats cannot tell."""
        better, safe, fear, greed = (above(one) for one in (self.better, self.safe, self.fear, self.greed))
        temptation = True if fear or greed else None if None in (fear, greed) else False
        tests = (better, safe, temptation)
        return False if False in tests else None if None in tests else True


def above(difference: Interval) -> bool | None:
    """Whether it is above 0: True or False where its interval says so, else None."""
    if difference.low is None or difference.high is None:
        return None
    return True if difference.low > 0 else False if difference.high <= 0 else None


def schelling(
    game: Any,
    cooperator: Any,
    defector: Any,
    repeats: int = 20,
    seed: int = 0,
    *,
    mechanisms: Sequence[Any] = (),
    sets: dict[str, Any] | None = None,
    out: str | Path | None = None,
    limits: Limits | dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Schelling:
    """Plays every mixture of 0 to N cooperators with defectors for the rest, and gives the two curves.

    `cooperator` and `defector` are players as in a seat list, texts or objects; seats are permuted over repeats, which are the same in
    all mixtures, so that differences are paired. The log goes to `out`, or is not kept. Raises SpecError where a player costs and no
    budget covers it, as a Study does.
    """
    played = spec.game(game, tuple(mechanisms), sets or {})
    one, other = _player(cooperator), _player(defector)
    mixtures = [[one] * k + [other] * (played.seats - k) for k in range(played.seats + 1)]
    arms = [Arm(played, who, (), f"{k} of {played.seats} cooperate") for k, who in enumerate(mixtures)]
    study = Study(arms=arms, repeats=repeats, seed=seed, name="schelling", limits=limits or Limits())
    title = spec.title(*spec.tower(played))
    with tempfile.TemporaryDirectory() as folder:
        tables = study.run(out or Path(folder) / "run", progress).tables
        curves = _curves(tables, played.seats, repeats)
    return Schelling(title, seats.write([one]), seats.write([other]), *curves)


def text(found: Schelling) -> str:
    """The curves as a table, and the tests in words."""
    sides = {f"cooperate: {found.cooperate}": found.cooperators, f"defect: {found.defect}": found.defectors}
    columns = [[name, *words.means([intervals.cell(each) for each in returns])] for name, returns in sides.items()]
    wide, first = max(map(len, columns[0])) + 3, "others who cooperate"
    lines = [f"{first}   {columns[0][0]:<{wide}}{columns[1][0]}"]
    lines += [
        f"{others:>{len(first)}}   {one:<{wide}}{other}" for others, (one, other) in enumerate(zip(*(c[1:] for c in columns), strict=True))
    ]
    tests = list(zip(TESTS, (found.better, found.safe, found.fear, found.greed), strict=True))
    pays = words.means([{**one._asdict(), "unit": ""} for _, one in tests], sign=True)
    lines += ["", *(f"{VERDICTS[above(one)]:<8}{name}: {paid}" for (name, one), paid in zip(tests, pays, strict=True))]
    return "\n".join([*lines, f"{VERDICTS[found.dilemma]:<8}a social dilemma: both of the first two, and fear or greed"])


def figure(found: Schelling) -> str:
    """The diagram as SVG text: both curves with 95 % bands over the number of others who cooperate; "" where nothing was finished."""
    sides = ((f"cooperate: {found.cooperate}", "arm0", found.cooperators), (f"defect: {found.defect}", "arm1", found.defectors))
    drawn = [figures.sampled(name, hue, range(len(returns)), returns) for name, hue, returns in sides]
    rows = [curve for curve in drawn if len(curve.x)]
    return figures.curves(f"Return in {words.short(found.game, 40)}", rows, x="others who cooperate") if rows else ""


def summary(found: Schelling) -> dict[str, Any]:
    """The same as JSON: by the number of others who cooperate what each gets, and the tests with their verdicts."""
    curves = {"cooperators": found.cooperators, "defectors": found.defectors}
    tests = {name: getattr(found, name) for name in ("better", "safe", "fear", "greed")}
    return {
        **{name: getattr(found, name) for name in ("game", "cooperate", "defect")},
        **{name: [{**intervals.cell(each), "others": others} for others, each in enumerate(returns)] for name, returns in curves.items()},
        **{name: {**one._asdict(), "holds": above(one)} for name, one in tests.items()},
        "dilemma": found.dilemma,
    }


def _player(who: Any) -> Any:
    listed = seats.read([who])
    if len(listed) != 1:
        raise SpecError(f"{who!r}: one player, of whom as many are seated as a mixture has")
    return listed[0]


def _curves(tables: Tables, seats: int, repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """(R_c(l + 1), R_d(l)), float64[seats, repeats] each: in arm k the first k seats of the list cooperate."""
    mixtures = Played.of(tables).returns(seats, repeats)
    cooperators = [mixture[:k].mean(0) for k, mixture in enumerate(mixtures) if k]
    defectors = [mixture[k:].mean(0) for k, mixture in enumerate(mixtures) if k < seats]
    return np.array(cooperators), np.array(defectors)
