"""From a name to a part. Ours and other people's come through the same door; listing imports nothing."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from commonage import errors, preset
from commonage.errors import CommonageError, ContractError, SpecError

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
SITTERS = ("agents", "teams", "policies")  # who can take a seat
USES = {  # what a part of a kind is, and how it is named
    "games": "a game: commonage play {}",
    "mechanisms": "a mechanism: --with {}",
    "policies": "a policy: --seats {}",
    "agents": "an agent: --seats {}",
    "teams": "a team: --seats {}",
    "measures": "a measure: --measure {}",
}
DIGEST = "__commonage_digest__"  # where such a module keeps the digest of its text
FILE = "commonage_file_"  # what the module of a user's file is called, before the file's own name


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
    entry = known(kind, name)
    module, _, attribute = entry.source.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute or camel(entry.name))
    except Exception as error:  # ours import; another package's may not
        raise SpecError(f"{name!r} is registered as {entry.source}, which does not import: {type(error).__name__}: {error}") from error


def known(kind: str, name: str) -> Entry:
    """What a listing knows of a part; imports nothing. Raises SpecError with the nearest name when there is none."""
    entries = parts(kind)
    entry = entries.get(name) or next((e for e in entries.values() if name in e.aliases), None)
    if entry is None:
        raise unknown({"policies": "agent"}.get(kind, kind[:-1]), name, [*entries, *(preset.known() if kind == "games" else ())])
    return entry


def sitter(name: str) -> str:
    """Which of `SITTERS` a seat's name belongs to: an agent by its scheme (`http:`), else policies and teams by name."""
    found = kind_of(name.partition(":")[0], SITTERS) or ("policies" if ".py" in name else "")
    if not found:
        raise unknown("agent", name, [entry for kind in SITTERS for entry in parts(kind)])
    return found


def kind_of(name: str, kinds: Sequence[str] = tuple(FOLDERS)) -> str:
    """The first of these kinds that has a part of this name, or "" where none has."""
    return next((kind for kind in kinds if any(name in (entry.name, *entry.aliases) for entry in parts(kind).values())), "")


def unknown(kind: str, name: str, entries: Iterable[str]) -> SpecError:
    """The error for a name that is not there: what it is instead, or the nearest one that is."""
    if re.search(r"\.\w{1,5}$", name) and "://" not in name:
        fault = "wrong file" if Path(name).exists() else "no such file"
        return SpecError(f"{fault} {name!r}: a study ends in .toml, a part of your own in .py")
    if kind == "game" and name in preset.known():
        return SpecError(
            f"{name} is a preset, which takes no parameters and is played by its name alone; its game is {preset.load(name).game}"
        )
    other = kind_of(name)
    return errors.unknown(kind, name, entries, f"{name} is {USES[other].format(name)}" if other else "")


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
    own[wanted].origin, own[wanted].origin_digest = text, vars(module)[DIGEST]
    return own[wanted]


def digest(part: Any) -> str:
    """The SHA-256 of the user's file that a part or a function came from, with the files beside it that it imports; "" for others."""
    here = part if isinstance(part, type) else type(part)
    return getattr(here, "origin_digest", "") or getattr(part, "__globals__", {}).get(DIGEST, "")


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
    """A user's file as a module; loaded once. It may import the files beside it, under their names."""
    if not path.exists():
        raise SpecError(f"no file {str(path)!r}; give the path of a Python file, relative to where you are")
    name = FILE + path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _beside(path.parent) as helpers:
            spec.loader.exec_module(module)
    except Exception as error:
        at = f" ({there})" if (there := place(error)) else ""
        raise SpecError(f"{str(path)!r} does not import: {type(error).__name__}: {error}{at}") from error
    vars(module)[DIGEST] = hashlib.sha256(b"\0".join(file.read_bytes() for file in [path, *helpers])).hexdigest()
    return module


@contextmanager
def _beside(folder: Path) -> Iterator[list[Path]]:
    """The folder's files can be imported; in the end the list holds those that were.

    They are forgotten again, so that another folder's file of the same name is not taken for one of them.
    """
    before, helpers = set(sys.modules), []
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        yield helpers
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            first, file = name.partition(".")[0], Path(getattr(sys.modules[name], "__file__", None) or "")
            if first not in before and (file == folder / f"{first}.py" or folder / first in file.parents):
                helpers.append(file)
                del sys.modules[name]
        helpers.sort()


@contextmanager
def blame() -> Iterator[None]:
    """What a user's file raises comes out as one ContractError that says where; our own errors pass as they are."""
    try:
        yield
    except CommonageError:
        raise
    except Exception as error:
        if not (there := place(error)):
            raise
        raise ContractError(f"{there}: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}") from error


def place(error: BaseException) -> str:
    """`mine.py:12`, the last line of a user's file that an error went through, or "" where it met none."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__) if _own(frame)]
    if not frames:
        return ""
    path, line = Path(frames[-1][0]), frames[-1][1]
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}:{line}"


def _own(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(FILE)
