"""Listings: from docstrings, without importing a part."""

from __future__ import annotations

import ast
import json as jsonlib
from pathlib import Path

from commonage.find import HERE, Entry, camel, parts


def show(kind: str, name: str, as_json: bool) -> None:
    """All parts of a kind, or one in full."""
    folders = ("policies", "agents", "teams") if kind == "agents" else (kind,)
    entries = {folder: parts(folder) for folder in folders}
    if name:
        folder, entry = _one(kind, name, entries)
        detail = {**_brief(folder, entry), "docstring": _doc(entry), "parameters": _parameters(entry)}
        print(jsonlib.dumps(detail, indent=2) if as_json else _page(detail))
    elif as_json:
        print(jsonlib.dumps([_brief(folder, entry) for folder in folders for entry in entries[folder].values()], indent=2))
    else:
        print("\n\n".join(_table(folder, entries[folder]) for folder in folders))


def _one(kind: str, name: str, entries: dict[str, dict[str, Entry]]) -> tuple[str, Entry]:
    for folder, known in entries.items():
        for entry in known.values():
            if name == entry.name or name in entry.aliases:
                return folder, entry
    from commonage.errors import unknown

    raise unknown(kind[:-1], name, [name for known in entries.values() for name in known])


def _brief(folder: str, entry: Entry) -> dict[str, object]:
    return {"name": entry.name, "kind": folder, "line": entry.line, "aliases": list(entry.aliases)}


def _table(folder: str, entries: dict[str, Entry]) -> str:
    wide = max(map(len, entries), default=0)
    title = f"{folder}:\n"
    return title + "\n".join(f"  {entry.name:<{wide}}  {entry.line}" for entry in entries.values())


def _source(entry: Entry) -> ast.Module:
    path = HERE.parent / (entry.source.partition(":")[0].replace(".", "/") + ".py")
    path = path if path.exists() else path.with_suffix("") / "__init__.py"
    return ast.parse(Path(path).read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])


def _class(entry: Entry) -> ast.ClassDef | None:
    wanted = entry.source.partition(":")[2] or camel(entry.name)
    return next((node for node in _source(entry).body if isinstance(node, ast.ClassDef) and node.name == wanted), None)


def _doc(entry: Entry) -> str:
    cls = _class(entry)
    module = ast.get_docstring(_source(entry)) or entry.line
    return "\n\n".join(text for text in (module, cls and ast.get_docstring(cls)) if text)


def _parameters(entry: Entry) -> dict[str, str]:
    """Name -> default, as written in the class."""
    cls = _class(entry)
    fields = [node for node in cls.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)] if cls else []
    fields = [node for node in fields if "ClassVar" not in ast.unparse(node.annotation) and node.target.id != "game"]  # type: ignore[union-attr]
    return {node.target.id: _default(node.value) for node in fields}  # type: ignore[union-attr]


def _default(value: ast.expr | None) -> str:
    if isinstance(value, ast.Call) and value.keywords:  # static(default=5)
        value = value.keywords[0].value
    return ast.unparse(value) if value else "no default"


def _page(detail: dict[str, object]) -> str:
    parameters = detail["parameters"]
    assert isinstance(parameters, dict)
    lines = [f"  {name} = {default}" for name, default in parameters.items()]
    return "\n".join([str(detail["name"]), "", str(detail["docstring"]), *(["", "Parameters:", *lines] if lines else [])])
