"""The paragraph and the references for a paper: what ran, in words, from the log's headers."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

from commonage import spec
from commonage.errors import SpecError
from commonage.find import HERE
from commonage.game import layers
from commonage.measure import words
from commonage.store.read import read

CITE = """@software{commonage,
  title = {commonage: a laboratory for cooperation among agents},
  author = {{The commonage developers}},
  version = {%s},
  year = {2026},
}"""


def methods(folder: str | Path) -> str:
    """A paragraph of methods, then BibTeX and the sources that the parts name."""
    arms = read(folder).arms
    head, repeats = arms[0], words.either((arm["repeats"] for arm in arms), "repeat")
    sentences = [
        f"Matches were played with commonage {head['package']} (jax {head['jax']}, Python {head['python']}, {head['platform']}).",
        f"The study has {words.count(len(arms), 'arm')} of {repeats} each; repeats share their random streams"
        f" across arms (root seed {head['seed']}), so that arms are compared in pairs, and seat order is permuted over repeats"
        " unless roles forbid it.",
        *[f"Arm {arm['arm'] + 1}: {_arm(arm)}." for arm in arms],
        *dict.fromkeys(sentence for arm in arms for sentence in _parameters(arm)),
        "Intervals are 95 %: bootstrap over repeats for means, Wilson for rates; failed matches are counted as worst and as best"
        " in the bounds, and no failure was replaced by a move.",
    ]
    presets = {"preset {name}: {source}".format(**arm["preset"]) for arm in arms if "preset" in arm}
    sources = sorted(presets | {line for arm in arms for line in _sources(arm)})
    return "\n".join([" ".join(sentences), "", *(f"  {line}" for line in sources), "", CITE % head["package"]])


def _arm(arm: dict[str, Any]) -> str:
    around = f" under {' around '.join(arm['spec']['with'])}" if arm["spec"]["with"] else ""
    chain = f" over {arm['generations']} generations ({arm['spec']['generations']})" if "generations" in arm else ""
    versions = ", ".join(f"{name}@{version}" for name, version in arm["versions"].items())
    of = f" of the preset {arm['preset']['name']}" if "preset" in arm else ""
    return f"{arm['spec']['game']}{around}{chain}{of}, seats {arm['spec']['seats']} (rules {versions}, {arm['runner']} runner)"


def _parameters(arm: dict[str, Any]) -> list[str]:
    """All parameters of each layer, the defaults too: a later version may have others. None where a user's file is gone."""
    try:
        tower = spec.game(arm["spec"]["game"], arm["spec"]["with"])
    except SpecError:
        return []
    named = lambda layer: {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer) if field.name != "game"}
    listed = [(layer.name, ", ".join(f"{name}={spec.write(value)}" for name, value in named(layer).items())) for layer in layers(tower)]
    return [f"{name[0].upper() + name[1:]} was played with {parameters}." for name, parameters in listed if parameters]


def _sources(arm: dict[str, Any]) -> list[str]:
    """The first docstring line of every part that an arm used: it names the source."""
    games = [spec.call(arm["spec"]["game"]).name]
    around = [spec.call(layer).name for layer in arm["spec"]["with"]]
    players = [call.name for seat in spec.seats(arm["spec"]["seats"]) for call in seat.calls]
    named = [("games", games), ("mechanisms", around), ("policies", players)]
    return [line for folder, names in named for name in names if (line := _line(HERE / folder / f"{name}.py"))]


def _line(path: Path) -> str:
    if not path.exists():
        return ""
    return f"{path.stem}: {(ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or '').partition(chr(10))[0]}"
