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
from typing import Any

import typer

import commonage
from commonage import event, find, spec, testing
from commonage.cli.app import app

PAGE = Path(__file__).with_name("reference.md")
SECTION = re.compile(r"(<!-- (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """The page with every generated section written anew."""
    return SECTION.sub(lambda found: f"{found[1]}\n{globals()[found['name']]()}\n\n{found[3]}", text)


def commands() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(app)
    return "\n\n".join(_command(name, command) for name, command in root.commands.items())  # type: ignore[attr-defined]


def _command(name: str, command: Any) -> str:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    usage = " ".join([name, *((_called(param) if param.required else f"[{_called(param)}]") for param in arguments)])
    rows = [(f"`{_called(param)}`", param.help, "") for param in arguments] + [_option(param) for param in options]
    return "\n\n".join([f"### `commonage {usage}`", command.help.strip(), *([_table(("", "", "default"), rows)] if rows else [])])


def _called(argument: Any) -> str:
    return argument.metavar or argument.name.upper()


def _option(option: Any) -> tuple[str, str, str]:
    value = "" if option.is_flag else " " + {"integer": "N", "integer range": "N", "path": "PATH"}.get(option.type.name, "TEXT")
    default = "" if option.is_flag or option.default in (None, "") else f"`{option.default}`"
    return f"`{option.opts[0]}{value}`", option.help + " May be repeated." * option.multiple, default


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
    """The classes of the contracts: their fields, and the first line of every method."""
    trees = {module: ast.parse((find.HERE / f"{module}.py").read_text(encoding="utf-8")) for module in CONTRACTS}
    return "\n\n".join(_contract(_class(trees[module], name)) for module, names in CONTRACTS.items() for name in names)


def _class(tree: ast.Module, name: str) -> ast.ClassDef:
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def _contract(cls: ast.ClassDef) -> str:
    methods = [node for node in cls.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _line(node)]
    fields = [f"`{node.target.id}`" for node in cls.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    told = f"**{cls.name}.** {_line(cls)}" + f" Fields: {', '.join(fields)}." * bool(fields)
    return "\n\n".join([told, *([_table(("", ""), [(f"`{_call(node)}`", _line(node)) for node in methods])] if methods else [])])


def _call(node: Any) -> str:
    """`step(key, state, moves)`; a property without brackets."""
    plain = any(ast.unparse(decorator).endswith("property") for decorator in node.decorator_list)
    arguments = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
    return node.name if plain else f"{node.name}({', '.join(arguments)})"


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
    cell = lambda text: text.replace("|", "\\|")  # noqa: E731
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, row)) + " |" for row in lines)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
