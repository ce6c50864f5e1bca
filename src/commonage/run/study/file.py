"""A study as text: rows of arms, a grid of them. Reads and writes TOML; plays nothing."""

from __future__ import annotations

import difflib
import itertools
import json
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from commonage.errors import SpecError
from commonage.run.study.arm import Arm

KEYS = ("name", "repeats", "seed", "runner", "on_failure", "budget", "limits", "arm", "grid")  # of a study file
ROW = {  # of an arm in it, and what an `Arm` calls it
    "name": "name", "game": "game", "with": "mechanisms", "seats": "seats", "set": "sets", "repeats": "repeats",
    "generations": "generations", "preset": "preset",
}  # fmt: skip


def read(path: str | Path) -> dict[str, Any]:
    """What a file says: `arms`, and the fields of a Study by name. Raises SpecError for what it cannot say."""
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: no TOML, or no text
        raise SpecError(f"study {str(path)!r}: {getattr(error, 'strerror', '') or error}") from error
    _known(data, KEYS, f"study {str(path)!r}")
    listed, grid = data.pop("arm", []), data.pop("grid", {})
    require(isinstance(listed, list) and isinstance(grid, dict), f"study {str(path)!r}: write [[arm]] tables, or one [grid]")
    rows = [*listed, *_grid(grid)]
    require(bool(rows), f"study {str(path)!r} has no [[arm]] and no [grid]")
    return {**data, "arms": [row(one, str(path)) for one in rows]}


def _grid(grid: dict[str, Any]) -> list[dict[str, Any]]:
    """Every combination of the lists of a grid; the last key varies fastest."""
    if not grid:
        return []
    empty = [key for key, value in grid.items() if value == []]
    require(not empty, f"[grid] {', '.join(empty)} = []: no value, so no arm; an arm without mechanisms is with = [[]]")
    lists = [value if isinstance(value, list) and key != "sets" else [value] for key, value in grid.items()]
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*lists)]


def row(given: dict[str, Any], path: str) -> Arm:
    """An arm as a row of a table."""
    require(isinstance(given, dict), f"study {path!r}: an arm is a table under [[arm]], not {given!r}")
    _known(given, ROW, f"study {path!r}: the arm {given}")
    require({"game", "seats"} <= set(given), f"study {path!r}: an arm has game, seats and may have with, name, set: {given}")
    arm = Arm(**{ROW[key]: value for key, value in given.items()})
    texts = [*listed(arm.mechanisms), *listed(arm.seats), arm.name, arm.preset]
    require(isinstance(arm.sets, dict) and all(isinstance(text, str) for text in texts), f"study {path!r}: cannot read the arm {given}")
    return arm


def _known(table: dict[str, Any], known: Iterable[str], where: str) -> None:
    """Raises SpecError for a key that there is not, with the nearest one that is."""
    for key in table:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        require(key in known, f"{where}: unknown {key!r}; {hint}It may have {', '.join(known)}")


def free(name: str, taken: Sequence[str]) -> str:
    """`punish`, `punish (2)` ...: no two arms have one name."""
    return next(free for i in itertools.count(1) if (free := f"{name} ({i})" if i > 1 else name) not in taken)


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def listed(value: Any) -> list[Any]:
    """One is a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def whole(value: Any) -> bool:
    """Whether it is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def require(rule: bool, says: str) -> None:
    """Raises SpecError with these words unless the rule holds."""
    if not rule:
        raise SpecError(says)
