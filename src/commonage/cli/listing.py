"""Listings: from docstrings, without importing a part."""

from __future__ import annotations

import ast
import dataclasses
import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonage.errors import Pause, SpecError
from commonage.find import HERE, Entry, camel, parts

if TYPE_CHECKING:
    from commonage.model import Model

WAY = "Start the server, or name another model: commonage models"
TOKENS_IN, TOKENS_OUT = 200, 64  # of a request of a probe, at most
MODELS = """
without a server:
  fake        answers at random, for trying things out
  pocket      a small TEST MODEL, for showing things

In a seat: llm:provider/model, as in llm:openai/gpt-5-mini or llm:ollama/llama3.2:3b. A name without a provider is the model
at {base} ({there}). What is not on this machine costs money: --budget 2.
What can a model do? commonage models openai/gpt-5-mini --budget 0.1"""


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


def presets(name: str, as_json: bool) -> None:
    """All presets, or one with its variants, its seats and what was published of it."""
    from commonage import preset

    if name:
        one = preset.load(name)
        return print(jsonlib.dumps(dataclasses.asdict(one), indent=2) if as_json else _preset(one))
    all_ = [preset.load(each) for each in preset.known()]
    if as_json:
        return print(jsonlib.dumps([{"name": one.name, "about": one.about, "variants": list(one.variants)} for one in all_], indent=2))
    wide = max(len(one.name) for one in all_)
    print("presets:\n" + "\n".join(f"  {one.name:<{wide}}  {one.about}" for one in all_))


def _preset(one: Any) -> str:
    """A preset as a page."""
    from commonage import preset

    wide = max(map(len, one.variants))
    tower = " around ".join([*one.base.get("with", []), one.base["game"]])
    lines = [
        one.name,
        "",
        one.about,
        one.source,
        f"explained in {one.docs}" if one.docs else "",
        "",
        f"base: {tower}",
        "",
        "variants (--variant NAME, or all):",
    ]
    lines += [f"  {name:<{wide}}  {about}" for name, about in one.variants.items()]
    lines += ["", "seats, if you name nobody (--seats):", *(f"  {row['seats']}  {row.get('name', '')}" for row in one.seats)]
    numbers = [", ".join(f"{key} {value}" for key, value in row.items() if key not in preset.ABOUT) for row in one.published]
    told = [
        f"  {row['who']}{' (' + row['variant'] + ')' if 'variant' in row else ''}: {text}"
        for row, text in zip(one.published, numbers, strict=True)
    ]
    return "\n".join([*lines, *(["", "published, not played here:", *told] if told else [])])


def models(name: str, as_json: bool, budget: str | None, prices: str) -> None:
    """Who serves models; or what one of them can do, found out by asking it."""
    from commonage.models.providers import BASE, PROVIDERS, setting

    if name:
        return _probe(name, as_json, budget, prices)
    rows = [{"provider": key, "address": each.address, "key": each.key_env} for key, each in PROVIDERS.items()]
    rows = [{**row, "set": bool(row["key"] and setting(row["key"]))} for row in rows]
    if as_json:
        print(jsonlib.dumps(rows, indent=2))
        return
    print("providers:")
    for row in rows:
        key = f"{row['key']}{'' if row['set'] else ' (not set)'}" if row["key"] else "no key"
        print(f"  {row['provider']:<12}{row['address']:<58}{key}")
    print(MODELS.format(base=BASE, there=setting(BASE) or "not set"))


def _probe(name: str, as_json: bool, budget: str | None, prices: str) -> None:
    import asyncio

    from commonage.models import probe
    from commonage.models.providers import resolve

    model = resolve(name.removeprefix("llm:"))
    _afford(model, budget, prices)

    async def ask() -> dict[str, Any]:
        try:
            return await probe.probe(model)
        finally:
            await model.close()

    found = asyncio.run(ask())
    if as_json or found["verbs"]:
        print(jsonlib.dumps(found, indent=2) if as_json else probe.told(found))
    if not found["verbs"]:
        raise Pause(f"{model.name} gave no answer: {found['trouble']['chat']}. {WAY}")


def _afford(model: Model, budget: str | None, prices: str) -> None:
    """Raises SpecError where the probe may cost more than the budget."""
    from commonage.models.budget import Spent, money
    from commonage.models.desk import refusal
    from commonage.models.limits import Limits
    from commonage.models.prices import Prices
    from commonage.models.probe import REQUESTS

    most, price = Limits(budget=budget).budget, Prices(prices).of(model)
    takes = REQUESTS * TOKENS_IN, REQUESTS * TOKENS_OUT
    if says := refusal(model.name, price, most):
        raise SpecError(f"{says}. Asking what it can do takes at most {REQUESTS} requests, {sum(takes):,} tokens")
    cost = Spent(price.of(*takes) if price else 0.0, sum(takes))
    if most and not (price and price.free) and not most.covers(cost):
        needs = money(cost.money) if most.unit == "money" else f"{cost.tokens:,} tokens"
        raise SpecError(f"{model.name}: --budget {most} is less than the {needs} that asking what it can do may take, so nothing was sent")


def _one(kind: str, name: str, entries: dict[str, dict[str, Entry]]) -> tuple[str, Entry]:
    for folder, known in entries.items():
        for entry in known.values():
            if name == entry.name or name in entry.aliases:
                return folder, entry
    from commonage.find import unknown

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
    starts = [node for node in cls.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"] if cls else []
    if starts:
        constants = _constants(_source(entry))
        return {name: constants.get(default, default) for name, default in _arguments(starts[0].args).items()}
    fields = [node for node in cls.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)] if cls else []
    fields = [node for node in fields if "ClassVar" not in ast.unparse(node.annotation) and node.target.id != "game"]  # type: ignore[union-attr]
    return {node.target.id: _default(node.value) for node in fields}  # type: ignore[union-attr]


def _arguments(given: ast.arguments) -> dict[str, str]:
    """Name -> default of an agent, as written in its `__init__`."""
    places = given.args[1:]
    known: list[ast.expr | None] = [*[None] * len(places), *given.defaults][-len(places) :] if places else []
    pairs = [*zip(places, known, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    several = {f"*{given.vararg.arg}": "any number"} if given.vararg else {}
    return several | {one.arg: _default(value) for one, value in pairs}


def _constants(module: ast.Module) -> dict[str, str]:
    """Name -> value of what a module sets at its top: `TIMEOUT = 20.0`, `TRIES, WAIT = 4, 0.25`."""
    found = [(node.targets[0], node.value) for node in module.body if isinstance(node, ast.Assign)]
    lists = [(each.elts if isinstance(each, ast.Tuple) else [each] for each in pair) for pair in found]
    return {ast.unparse(name): ast.unparse(value) for names, values in lists for name, value in zip(names, values, strict=False)}


def _default(value: ast.expr | None) -> str:
    if isinstance(value, ast.Call) and value.keywords:  # static(default=5)
        value = value.keywords[0].value
    return ast.unparse(value) if value else "no default"


def _page(detail: dict[str, object]) -> str:
    parameters = detail["parameters"]
    assert isinstance(parameters, dict)
    lines = [f"  {name} = {default}" for name, default in parameters.items()]
    return "\n".join([str(detail["name"]), "", str(detail["docstring"]), *(["", "Parameters:", *lines] if lines else [])])
