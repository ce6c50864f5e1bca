"""Systems of papers that stand ready by name: a table of arms with variants, and the numbers that were published of it.

A preset is a TOML file, ours in `presets/`, yours anywhere. Nothing heavy is imported here.

    about, source, docs, repeats   what it is, whose, where it is explained, how often a match is played if you don't say
    [base]                         an arm as in a study file: game, with ...
    [[seats]]                      name, seats: who sits there if you name nobody; an arm each
    [variant.NAME]                 about, and what differs from the base; `each = true`: an arm for every player of the seat list
    [[published]]                  who, variant, source, n, and numbers by the names of our measures, as printed there
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from commonage.errors import SpecError, unknown

HERE = Path(__file__).parent / "presets"
BASE = "base"  # the variant in which nothing differs
ALL = "all"
ABOUT = ("who", "variant", "source", "n", "note")  # of a published row; all else are measures
Row = dict[str, Any]  # an arm as in a study file


@dataclasses.dataclass(frozen=True)
class Preset:
    """One system."""

    name: str  # or the path of a file of yours
    about: str
    source: str
    docs: str = ""
    repeats: int = 20
    base: Row = dataclasses.field(default_factory=dict)
    seats: Sequence[Row] = ()
    variant: dict[str, Row] = dataclasses.field(default_factory=dict)
    published: Sequence[Row] = ()

    def __post_init__(self) -> None:
        _require("game" in self.base, self.name, "[base] needs a game")
        _require(bool(self.seats), self.name, "it needs [[seats]]: name and seats of at least one list")
        for row in self.published:
            _require({"who", "source"} <= set(row), self.name, f"[[published]] needs who and source: {row}")
            _require(row.get("variant", BASE) in (BASE, *self.variant), self.name, f"[[published]] of a variant that there is not: {row}")

    @property
    def variants(self) -> dict[str, str]:
        """Every variant with what it is about, the base first."""
        return {BASE: self.about, **{name: row.get("about", "") for name, row in self.variant.items()}}

    @property
    def game(self) -> str:
        """The game of its base, with its parameters."""
        return self.base["game"]

    def rows(self, variants: Sequence[str] = (), seats: str = "", players: Sequence[str] = ()) -> list[Row]:
        """The arms of these variants, or of the base; with one seat list, whose `players` each stand there once, or with its own."""
        chosen = list(self.variants) if ALL in variants else list(dict.fromkeys(variants)) or [BASE]
        alone = [BASE] if len(chosen) == 1 or not seats else []  # what needs no name in front
        return [row for name in chosen for row in self._rows(name, seats, players, "" if name in alone else f"{name}: ")]

    def numbers(self, variant: str) -> list[Row]:
        """What was published of a variant."""
        return [row for row in self.published if row.get("variant", BASE) == variant]

    def _rows(self, variant: str, seats: str, players: Sequence[str], called: str) -> list[Row]:
        if variant not in self.variants:
            near = difflib.get_close_matches(variant, self.variants, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ":"
            raise SpecError(f"{self.name} has no variant {variant!r}{hint} It has {', '.join([*self.variants, ALL])}")
        own = self.variant.get(variant, {})
        row = {**self.base, **{key: value for key, value in own.items() if key not in ("about", "seats", "each")}}
        lists = [{"seats": seats}] if seats else own.get("seats", self.seats)
        if own.get("each") and seats:
            lists = [{"seats": one} for one in players]
        row["preset"] = f"{self.name}/{variant}"
        named = lambda one: called + one.get("name", one["seats"] if called else "")
        return [{**row, "seats": one["seats"], "name": named(one)} for one in lists]


def known() -> dict[str, Path]:
    """Our presets by name."""
    return {path.stem: path for path in sorted(HERE.glob("*.toml"))}


def is_preset(name: str) -> bool:
    """Whether a name, or a file, is a preset's."""
    return name in known() or (name.endswith(".toml") and BASE in _read(name))


def load(name: str) -> Preset:
    """A preset by name or path. Raises SpecError for one that is not there, or breaks a rule."""
    if name not in known() and not name.endswith(".toml"):
        raise unknown("preset", name, known())
    data = _read(name)
    fields = {field.name for field in dataclasses.fields(Preset)} - {"name"}
    _require(set(data) <= fields, name, f"unknown {', '.join(sorted(set(data) - fields))}: it may have {', '.join(sorted(fields))}")
    _require({"about", "source", "base"} <= set(data), name, "it needs about, source and [base]")
    return Preset(name=name, **data)


def _read(name: str) -> dict[str, Any]:
    path = known().get(name, Path(name))
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError(f"{name!r}: {getattr(error, 'strerror', '') or error}") from error


def _require(rule: bool, name: str, says: str) -> None:
    if not rule:
        raise SpecError(f"preset {name}: {says}")
