"""Writes the generated parts of docs/reference.md: `python docs/make_reference.py`. A test fails when they are stale.

What stands between `<!-- NAME -->` and `<!-- end -->` comes from the code; the rest of the page is written by hand.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

from typer.models import ArgumentInfo

import commonage
from commonage import event, find, spec, testing
from commonage.cli.app import app

PAGE = Path(__file__).with_name("reference.md")
SECTION = re.compile(r"(<!-- (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """The page with every generated section written anew."""
    return SECTION.sub(lambda found: f"{found[1]}\n{globals()[found['name']]()}\n\n{found[3]}", text)


class Parameter(NamedTuple):
    """An argument or an option of a command."""

    text: str  # `--repeats N`
    line: str
    default: str


def read_commands() -> dict[str, tuple[str, list[Parameter]]]:
    """By name: the docstring, the arguments and options."""
    return {name: (inspect.getdoc(call) or "", [*_parameters(call)]) for name, call in _callbacks()}


def _callbacks() -> Iterator[tuple[str, Any]]:
    for command in app.registered_commands:
        yield command.name or command.callback.__name__, command.callback  # type: ignore[union-attr]


def _parameters(call: Any) -> Iterator[Parameter]:
    hints = get_type_hints(call, include_extras=True)
    for name, parameter in inspect.signature(call).parameters.items():
        if not (annotated := get_args(hints[name])):
            continue  # the context
        kind, told = annotated
        if isinstance(told, ArgumentInfo):
            called = told.metavar or name.upper()
            yield Parameter(called if parameter.default is parameter.empty else f"[{called}]", told.help or "", "")
        else:
            named = [text for text in (told.default, *(told.param_decls or ())) if str(text).startswith("--")]
            flag = (named or [f"--{name.replace('_', '-')}"])[0]
            value = "" if kind is bool else f" {VALUES.get(kind, 'TEXT')}"
            again = " May be repeated." if "list" in str(kind) else ""
            default = "" if kind is bool or parameter.default in (None, "", parameter.empty) else str(parameter.default)
            yield Parameter(flag + value, (told.help or "") + again, default)


VALUES = {int: "N", int | None: "N", Path: "PATH", Path | None: "PATH"}


def commands() -> str:
    """Every command with its arguments and options."""
    return "\n\n".join(_command(name, line, parameters) for name, (line, parameters) in read_commands().items())


def _command(name: str, line: str, parameters: list[Parameter]) -> str:
    usage = " ".join(["commonage", name, *(one.text for one in parameters if not one.text.startswith("-"))])
    rows = [(f"`{text}`", told, f"`{default}`" * bool(default)) for text, told, default in parameters]
    return "\n\n".join([f"### `{usage}`", line, *([_table(("", "", "default"), rows)] if rows else [])])


def parts() -> str:
    """All parts, one table a kind."""
    return "\n\n".join(f"### {kind.capitalize()}\n\n{_parts(kind)}" for kind in find.FOLDERS)


def _parts(kind: str) -> str:
    rows = []
    for entry in find.parts(kind).values():
        also = f" Also: {', '.join(f'`{alias}`' for alias in entry.aliases)}." if entry.aliases else ""
        rows.append((f"`{entry.name}`", entry.line + also, *_more(kind, find.find(kind, entry.name))))
    return _table(("name", "", *{"measures": ("", "unit"), "policies": ("plays", "parameters")}.get(kind, ("parameters",))), rows)


def _more(kind: str, cls: Any) -> tuple[str, ...]:
    if kind == "measures":
        return _first(cls), cls.unit
    if kind in ("agents", "teams"):
        given = inspect.signature(cls).parameters.values()
        fields = [str(one.replace(annotation=inspect.Parameter.empty)) for one in given]
    else:
        fields = [f"{field.name}={spec.write(field.default)}" for field in dataclasses.fields(cls) if field.name != "game"]
    plays = ({"*": "any game"}.get(cls.game, f"`{cls.game}`"),) if kind == "policies" else ()
    return *plays, f"`{', '.join(fields)}`" * bool(fields)


def names() -> str:
    """The public names of `commonage`, and of `commonage.testing`."""
    ours = [(f"`{name}`", _first(getattr(commonage, name))) for name in commonage.__all__]
    tests = [(f"`testing.{name}`", _first(getattr(testing, name))) for name in testing.__all__]
    return _table(("name", ""), [*ours, *tests])


CONTRACTS = {
    "game": ("Question", "Legal", "Ask", "Turn", "Oracle", "Game"),
    "mechanism": ("Mechanism", "Phased"),
    "policy": ("Policy",),
    "agent": ("View", "Answer", "Agent"),
}


def contracts() -> str:
    """The classes of the contracts: fields with their comments, methods with the first line of their docstrings."""
    return "\n\n".join(_class(find.HERE / f"{module}.py", name) for module, names in CONTRACTS.items() for name in names)


def rollouts() -> str:
    """What a rollout records, and what it sums."""
    return "\n\n".join(_class(find.HERE / "learn" / f"{module}.py", name) for module, name in (("rollout", "Step"), ("score", "Totals")))


def _class(path: Path, name: str) -> str:
    text = path.read_text(encoding="utf-8")
    cls = next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == name)
    rows = [row for node in cls.body for row in _member(node, text.splitlines())]
    return "\n\n".join([f"**{name}**: {_line(cls)}", _table(("", ""), rows)])


def _member(node: ast.stmt, lines: list[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.AnnAssign):
        yield f"`{ast.unparse(node.target)}`", lines[node.lineno - 1].partition("  # ")[2]
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _line(node):
        plain = any(ast.unparse(decorator).endswith("property") for decorator in node.decorator_list)
        arguments = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
        yield f"`{node.name}`" if plain else f"`{node.name}({', '.join(arguments)})`", _line(node)


def events() -> str:
    """Every kind of event, with its fields."""
    rows = [(f"`{kind}`", _first(cls), ", ".join(f"`{field}`" for field in cls._fields)) for kind, cls in event.EVENTS.items()]
    return _table(("kind", "", "fields"), rows)


def columns() -> str:
    """The columns of the tables, with the comments that stand beside them in the code."""
    text = (find.HERE / "store" / "tables.py").read_text(encoding="utf-8")
    names = ("matches", "steps", "moves")
    return "\n\n".join(f"**`tables.{name}`**\n\n{_table(('column', 'type', ''), list(_columns(text, name)))}" for name in names)


def _columns(text: str, name: str) -> Iterator[tuple[str, str, str]]:
    body = text.partition(f"\n{name.upper()}: dict[str, Any] = {{\n")[2].partition("\n}\n")[0]
    for column, kind, comment in re.findall(r'"(\w+)": (.+?),(?:\s+# (.*))?$', body, re.MULTILINE):
        yield f"`{column}`", kind.replace("pl.", "").capitalize() if kind.isupper() else kind.replace("pl.", ""), comment


def _first(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def _line(node: Any) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cell = lambda text: text.replace("|", "\\|")
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, row)) + " |" for row in lines)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
