"""From a name to a part. Ours and other people's come through the same door; listing imports nothing."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from commonage.errors import SpecError, unknown

HERE = Path(__file__).parent
FOLDERS = {
    "games": "games",
    "mechanisms": "mechanisms",
    "policies": "policies",
    "agents": "agents",
    "teams": "teams",
    "measures": "measure",
}

BASES = {"games": "Game", "mechanisms": "Mechanism", "policies": "Policy", "measures": "Measure"}


class Entry(NamedTuple):
    """One part, as a listing shows it."""

    name: str
    line: str  # the first line of its docstring
    source: str  # a module, or a path
    aliases: tuple[str, ...] = ()


@functools.cache
def parts(kind: str) -> dict[str, Entry]:
    """All parts of a kind by name: those of this package, then those that other packages register.

    Another package registers under the entry point group `commonage.<kind>`: name = "module:Class".
    """
    folder = FOLDERS[kind]
    files = [*(HERE / folder).glob("[!_]*.py"), *(path.parent for path in (HERE / folder).glob("[!_]*/__init__.py"))]
    ours = sorted(entry for path in files if (entry := _entry(path, f"commonage.{folder}.{path.stem}")))
    theirs = [_registered(point) for point in entry_points(group=f"commonage.{kind}")]
    return {entry.name: entry for entry in (*ours, *theirs)}


def find(kind: str, name: str) -> Any:
    """The class of a part: by name, by alias, or by path (`mine.py`, `mine.py:Mine`).

    Raises SpecError with the nearest name when there is none.
    """
    if ".py" in name:
        return from_path(name, kind)
    entries = parts(kind)
    entry = entries.get(name) or next((e for e in entries.values() if name in e.aliases), None)
    if entry is None:
        raise unknown({"policies": "agent"}.get(kind, kind[:-1]), name, entries)
    module, _, attribute = entry.source.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute or camel(entry.name))
    except Exception as error:  # ours import; another package's may not
        raise SpecError(f"{name!r} is registered as {entry.source}, which does not import: {type(error).__name__}: {error}") from error


def camel(name: str) -> str:
    """`tit_for_tat` -> `TitForTat`."""
    return "".join(word.capitalize() for word in name.split("_"))


def _entry(path: Path, module: str) -> Entry | None:
    """A file (or folder) is a part when it holds a class of its name."""
    tree = _parse(path / "__init__.py" if path.is_dir() else path)
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return Entry(path.stem, _line(tree), module, _aliases(tree)) if camel(path.stem) in names else None


def _registered(point: Any) -> Entry:
    path = point.dist and Path(str(point.dist.locate_file(point.module.replace(".", "/") + ".py")))
    try:
        tree = _parse(path) if path and path.exists() else ast.Module([], [])
        line, aliases = _line(tree), _aliases(tree)
    except (SyntaxError, ValueError):  # a broken package breaks no listing: it is refused when it is named
        line, aliases = "", ()
    source = f"{point.module}:{point.attr}"
    return Entry(point.name, line or f"from {point.dist.name if point.dist else point.module}", source, aliases)


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _line(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _aliases(tree: ast.Module) -> tuple[str, ...]:
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for node in cls.body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "aliases":
                return tuple(ast.literal_eval(node.value))
    return ()


def from_path(text: str, kind: str = "") -> Any:
    """The part in a user's own file: the class named, or the one that the file is called after, or its only one of the kind."""
    path, _, attribute = text.partition(".py")
    if not Path(path + ".py").exists():
        raise SpecError(f"no file {path + '.py'!r}; give the path of a Python file, relative to where you are")
    module, attribute = load(Path(path + ".py").resolve()), attribute.lstrip(":")
    own = {name: cls for name, cls in vars(module).items() if getattr(cls, "__module__", "") == module.__name__ and _is(cls, kind)}
    namesake = camel(Path(path).stem)
    wanted = attribute or (namesake if namesake in own or len(own) != 1 else next(iter(own)))
    if wanted not in own:
        way = f"Write {path}.py:NAME, or call one class {namesake}" if own else _wanted(kind)
        raise SpecError(f"{text!r}: which of its {kind or 'parts'}? The file has {', '.join(own) or f'none{_instead(module)}'}. {way}")
    own[wanted].origin = text
    return own[wanted]


def _is(cls: Any, kind: str) -> bool:
    """Whether a class is a part, and of this kind."""
    found = _base(cls)
    return bool(found) if not kind else found == BASES.get(kind)


def _base(cls: Any) -> str:
    """What kind of part a class is, "" if it is none; by the names of its bases, since nothing is imported here."""
    bases = {base.__name__ for base in cls.__mro__[1:]} if isinstance(cls, type) else set()
    return next((name for name in ("Mechanism", "Game", "Policy", "Measure") if name in bases), "")


def _instead(module: ModuleType) -> str:
    """The parts of other kinds that a file defines, in words."""
    own = [f"the {base.lower()} {name}" for name, cls in vars(module).items() if (base := _base(cls)) and cls.__module__ == module.__name__]
    return f", but {' and '.join(own)}" if own else ""


def _wanted(kind: str) -> str:
    """What a class must extend to be found."""
    return f"Wanted is a class that extends {BASES.get(kind) or 'Game, Mechanism, Policy or Measure'}"


@functools.cache
def load(path: Path) -> ModuleType:
    """A user's file as a module; loaded once."""
    if not path.exists():
        raise SpecError(f"no file {str(path)!r}; give the path of a Python file, relative to where you are")
    name = f"commonage_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SpecError(f"{str(path)!r} does not import: {type(error).__name__}: {error}") from error
    return module
