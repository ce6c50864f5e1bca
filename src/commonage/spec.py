"""Text <-> objects: `punish(fine=3)`, `sustainer*4,cheat(wary=5)+fine_overusers`. One grammar everywhere.

seats  := seat ("," seat)*           seat := call ("+" call)* ["*" count]
call   := name ["(" [arg ("," arg)*] ")"]
arg    := key "=" value | value      value := number | true | false | none | "quoted" | [value, ...] | call
name   := anything without , ( ) * + = [ ], spaces and quotes, or that in quotes: `tit_for_tat`, `llm:provider/model:tag`, `mine.py:Mine`
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from commonage import find
from commonage.errors import SpecError

if TYPE_CHECKING:
    from commonage.game import Game
    from commonage.policy import Policy


NAME = r"[^\s,()*+=\[\]\"']+"
WORD = r"[A-Za-z_][\w.\-/:]*"  # a text that needs no quotes
MOST = 1_000_000  # seats that one text may name


class Call(NamedTuple):
    """A name with arguments: a part as text."""

    name: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = {}

    def __str__(self) -> str:
        inside = [write(value) for value in self.args] + [f"{key}={write(value)}" for key, value in self.options.items()]
        name = self.name if re.fullmatch(NAME, self.name) else f'"{self.name}"'
        return f"{name}({','.join(inside)})" if inside else name


class Seat(NamedTuple):
    """One seat as text: a player, then parts for mechanisms."""

    calls: tuple[Call, ...]

    def __str__(self) -> str:
        return "+".join(str(call) for call in self.calls)


def write(value: Any) -> str:
    """A value as the grammar writes it."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, list | tuple) and not isinstance(value, Call | Seat):
        return "[" + ",".join(write(item) for item in value) + "]"
    if isinstance(value, str):
        return value if re.fullmatch(WORD, value) and value not in ("true", "false", "none") else json.dumps(value, ensure_ascii=False)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def call(text: str) -> Call:
    """`punish(cost=1, fine=3)` -> Call. Raises SpecError with the place where it stopped making sense."""
    return _whole(text, _Reader.call, "the end")


def settings(texts: Sequence[str]) -> dict[str, Any]:
    """`["capacity=120", "skin=pasture"]`, as `--set` takes them -> parameters by name. Raises SpecError that repeats a wrong one."""
    out: dict[str, Any] = {}
    for text in texts:
        for key, value in _whole(text, _Reader.args, "the end or ','"):
            if not key:
                raise SpecError(f"--set {text}: write name=value, as in --set capacity=120")
            if key in out:
                raise SpecError(f"--set {text}: {key} is given twice")
            out[key] = value
    return out


def seats(text: str) -> list[Seat]:
    """`sustainer*4,cheat` -> five seats."""
    return _whole(text, _Reader.seats, "the end or ','")


def compact(seats: Sequence[Seat]) -> str:
    """Seats as text, equal neighbours counted: `sustainer*4,cheat`."""
    runs: list[tuple[str, int]] = []
    for seat in map(str, seats):
        runs = [*runs[:-1], (seat, runs[-1][1] + 1)] if runs and runs[-1][0] == seat else [*runs, (seat, 1)]
    return ",".join(f"{seat}*{count}" if count > 1 else seat for seat, count in runs)


def game(base: str | Game, mechanisms: Sequence[str | Any] = (), sets: dict[str, Any] | None = None) -> Game:
    """The tower: of several mechanisms the first named is outermost. `sets` are parameters of any layer."""
    around = [_layer(item if isinstance(item, str) else text(item)) for item in mechanisms]
    inner = call(base if isinstance(base, str) else text(base)) if isinstance(base, str) or sets else None
    extra = _shared([*(("mechanisms", layer) for layer in around), *([("games", inner)] if inner else [])], sets or {})
    tower: Any = make("games", inner, extra)() if inner else base
    for layer in reversed(around):
        tower = make("mechanisms", layer, extra)(tower)
        if tower.language not in tower.languages:
            raise SpecError(f"{layer.name} speaks {', '.join(tower.languages)}, not {tower.language}: leave it out, or set language=en")
    return tower


def known(base: str, mechanisms: Sequence[str] = (), places: str = "") -> None:
    """Raises SpecError for a name that no part has; imports none of them, so that a slip is refused at once."""
    for kind, item in [("games", call(base)), *(("mechanisms", _layer(item)) for item in mechanisms)]:
        if ".py" not in item.name:
            find.known(kind, item.name)
    for item in [item for seat in (seats(places) if places else ()) for item in seat.calls]:
        find.sitter(item.name)


def idle(game: Game, players: Iterable[Sequence[Policy]]) -> list[Policy]:
    """The policies that no layer of the tower asks: `fine_overusers` of `sustainer+fine_overusers` without punish."""
    from commonage.game import layers

    asking = {"*", *(layer.name for layer in layers(game))}
    silent = {text(part): part for player in players for part in player if part.game not in asking}
    return list(silent.values())


def _layer(item: str) -> Call:
    """A mechanism as text. Raises SpecError where one text names several."""
    named = _whole(item, _Reader.seats, "the end")
    if len(named) > 1:
        raise SpecError(f"{item!r} names {len(named)} mechanisms; each has its own: {' '.join(f'--with {seat}' for seat in named)}")
    return call(item)


def text(part: Any) -> str:
    """A part as text: its name, or the path that it came from, and the fields that differ from the defaults. `game=` is left out."""
    options = {
        field.name: getattr(part, field.name)
        for field in dataclasses.fields(part)
        if field.name != "game" and getattr(part, field.name) != field.default
    }
    return str(Call(part.origin or part.name, (), options))


def tower(game: Game) -> tuple[str, list[str]]:
    """(the base game, the mechanisms from the outside in), as text."""
    from commonage.game import layers

    base, *around = layers(game)
    return text(base), [text(layer) for layer in reversed(around)]


def title(base: str, around: Iterable[str]) -> str:
    """`dilemma with talk with noise(rate=0.05)`: a game and its mechanisms from the outside in, to read."""
    return base + "".join(f" with {layer}" for layer in around)


def policies(seat: Seat) -> tuple[Policy, ...]:
    """The policies of a seat: `sustainer+fine_overusers` -> (Sustainer(), FineOverusers())."""
    return tuple(make("policies", item)() for item in seat.calls)


def make(kind: str, item: Call, extra: dict[str, Any] | None = None) -> Callable[..., Any]:
    """The part that a call describes, still without the game that it wraps. Raises SpecError for a wrong parameter."""
    return filled(find.find(kind, item.name), item, extra)


def filled(cls: Any, item: Call, extra: dict[str, Any] | None = None) -> Callable[..., Any]:
    """`make`, for a class that is at hand."""
    fields = {field.name: field for field in dataclasses.fields(cls) if field.name != "game"}
    if len(item.args) > len(fields):
        raise SpecError(f"{item}: {item.name} takes at most {len(fields)} parameters: {_signature(fields)}")
    options = {**dict(zip(fields, item.args, strict=False)), **item.options, **{k: v for k, v in (extra or {}).items() if k in fields}}
    if twice := [key for key in list(fields)[: len(item.args)] if key in item.options]:
        raise SpecError(f"{item}: {twice[0]} is given twice, by its place and by its name")
    for key in options:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise SpecError(f"{item.name} has no parameter {key!r}{hint} It takes {_signature(fields)}")
    values = {key: _coerce(item.name, fields[key], value) for key, value in options.items()}
    return lambda *inner: cls(*inner, **values)


def _shared(layers: Sequence[tuple[str, Call]], sets: dict[str, Any]) -> dict[str, Any]:
    """Checks that each `--set` names a parameter of some layer."""
    known = {field.name for kind, item in layers for field in dataclasses.fields(find.find(kind, item.name)) if field.name != "game"}
    for key in sets:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise SpecError(f"--set {key}: no layer has a parameter {key!r}{hint} They take: {', '.join(sorted(known))}")
    return sets


def _signature(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name}={write(field.default)}" for name, field in fields.items()) or "no parameters"


NUMBER, LARGEST = (int, float), 2**31 - 1
KINDS = {"int": (int, "a whole number"), "float": (NUMBER, "a number"), "bool": (bool, "true or false"), "str": (str, "a word")}


def _coerce(owner: str, field: Any, value: Any) -> Any:
    """The value as the field's type wants it; `4.0` is no whole number, `3` is a number."""
    kind, rule = KINDS.get(field.type, (None, ""))
    wrong = kind is not None and (not isinstance(value, kind) or (isinstance(value, bool) and field.type != "bool"))
    if wrong or (isinstance(value, NUMBER) and not abs(value) <= (LARGEST if field.type == "int" else 3e38)):
        rule = f"{rule} of 32 bits" if not wrong else rule
        raise SpecError(f"{owner}({field.name}={write(value)}): {field.name} must be {rule}; its default is {write(field.default)}")
    if field.type.startswith("tuple"):
        items = value if isinstance(value, list | tuple) and not isinstance(value, Seat) else [value]
        return tuple(_item(owner, field, item) for item in items)
    return value


def _item(owner: str, field: Any, item: Any) -> Any:
    """One entry of a list, as the field's type wants it."""
    if "str" in field.type and not isinstance(item, Seat):
        return item if isinstance(item, str) else write(item)
    if not isinstance(item, int | float) or isinstance(item, bool) or ("int" in field.type and not isinstance(item, int)):
        rule = "whole numbers" if "int" in field.type else "words" if "str" in field.type else "numbers"
        raise SpecError(f"{owner}({field.name}=[{write(item)}]): {field.name} must be {rule}; its default is {write(field.default)}")
    return float(item) if "float" in field.type else item


class _Reader:
    """A recursive descent over the text; `at` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def take(self, symbol: str) -> bool:
        if self.peek() != symbol:
            return False
        self.at += 1
        return True

    def fail(self, wanted: str) -> SpecError:
        found = repr(self.text[self.at :][:12]) if self.text[self.at :] else "the end"
        says = f"cannot read {self.text!r}: at character {self.at + 1} I expected {wanted}, found {found}"
        addresses = [one for one in re.finditer(r"\w+://[^\s,\"']*", self.text) if one.start() <= self.at <= one.end()]
        return SpecError(says + "".join(f"; such an address goes in quotes: '\"{one[0]}\"'" for one in addresses))

    def match(self, pattern: str) -> str:
        self.peek()
        found = re.compile(pattern).match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found.group() if found else ""

    def seats(self) -> list[Seat]:
        out: list[Seat] = []
        while True:
            out += self.seat()
            if not self.take(","):
                return out

    def seat(self) -> list[Seat]:
        calls = [self.call()]
        while self.take("+"):
            calls.append(self.call())
        count = self.match(rf"0*[1-9]\d{{,{len(str(MOST)) - 1}}}(?!\d)") if self.take("*") else "1"
        if not count or int(count) > MOST:
            raise self.fail(f"a count of seats, 1 to {MOST:,}, after '*'")
        return [Seat(tuple(calls))] * int(count)

    def call(self) -> Call:
        name = self.match(rf'"[^"]+"|{NAME}').strip('"')
        if not name:
            raise self.fail("a name")
        args, options = [], {}
        if self.take("("):
            while not self.take(")"):
                key, value = self.arg()
                if key in options:
                    raise SpecError(f"{self.text!r}: parameter {key!r} is given twice")
                if key:
                    options[key] = value
                else:
                    args.append(value)
                if not self.take(",") and self.peek() != ")":
                    raise self.fail("',' or ')'")
        return Call(name, tuple(args), options)

    def args(self) -> list[tuple[str, Any]]:
        out = [self.arg()]
        while self.take(","):
            out.append(self.arg())
        return out

    def arg(self) -> tuple[str, Any]:
        key = self.match(r"[A-Za-z_]\w*(?=\s*=)")
        return (key, self.value()) if key and self.take("=") else ("", self.value())

    def value(self) -> Any:
        if self.take("["):
            items = []
            while not self.take("]"):
                items.append(self.value())
                if not self.take(",") and self.peek() != "]":
                    raise self.fail("',' or ']'")
            return items
        quoted = self.match(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
        if quoted:
            return self.unescape(quoted) if quoted[0] == '"' else quoted[1:-1]
        number = self.match(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+)(?=\s*[,)\]]|\s*$)")
        if number:
            return int(number) if re.fullmatch(r"[+-]?\d+", number) else float(number)
        if self.peek() in ("", ",", ")", "]"):
            raise self.fail("a value")
        found = [_word(seat) for seat in self.seat()]
        return found if len(found) > 1 else found[0]

    def unescape(self, quoted: str) -> str:
        try:
            return json.loads(quoted, strict=False)
        except ValueError:
            raise SpecError(f'cannot read {quoted} in {self.text!r}: write \\\\ for a backslash and \\" for a quote') from None


def _word(seat: Seat) -> Any:
    """A seat that is one bare word, as the value that it stands for."""
    name, args, options = seat.calls[0]
    return seat if args or options or len(seat.calls) > 1 else {"true": True, "false": False, "none": None}.get(name, name)


def _whole(text: str, rule: Callable[[_Reader], Any], end: str) -> Any:
    """The whole text, read by a rule after which `end` is expected."""
    reader = _Reader(text)
    out = rule(reader)
    if reader.peek():
        raise reader.fail(end)
    return out
