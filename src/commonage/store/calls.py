"""What models were sent and what came back: a journal of calls, and their messages as chains.

A message's hash covers its role, its text and the hash of the message before it. So the last message of a call names
its whole conversation, a long one is stored once however often it is sent, and a changed text shows. A reply is the
next message of the chain. Nothing in the journal is replaced: a call that came to nothing stays beside the one that
was made in its place, since both took time.
"""

from __future__ import annotations

import functools
import itertools
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from commonage.errors import LogError
from commonage.model import Call, Message, Reply
from commonage.store.codec import dumps, whole
from commonage.store.file import NAME, damaged

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    hash BLOB PRIMARY KEY, parent BLOB NOT NULL, role TEXT NOT NULL, text BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    call INTEGER PRIMARY KEY, match INTEGER NOT NULL, step INTEGER NOT NULL, seat INTEGER NOT NULL, attempt INTEGER NOT NULL,
    number INTEGER NOT NULL, model TEXT NOT NULL, address TEXT NOT NULL, verb TEXT NOT NULL, messages BLOB NOT NULL, reply BLOB,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, tokens_cached INTEGER NOT NULL, cost REAL, seconds REAL NOT NULL,
    waited REAL NOT NULL, tries INTEGER NOT NULL, trouble TEXT NOT NULL, cached INTEGER NOT NULL, body TEXT NOT NULL,
    seal INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_match ON calls (match);
"""
FIRST = b""  # the parent of a conversation's first message
PLACE = ("match", "step", "seat", "attempt", "number")
SAME = (*PLACE, "model", "verb", "reply", "body")  # in equal runs: not clocks, tries, money, our cache or theirs, where it was sent
COLUMNS = (
    *PLACE, "model", "address", "verb", "messages", "reply", "tokens_in", "tokens_out", "tokens_cached", "cost", "seconds", "waited",
    "tries", "trouble", "cached", "body",
)  # fmt: skip
OWN = tuple(name for name in Call._fields if name not in (*COLUMNS, "reply"))  # what has no column of its own
TOLD = tuple(name for name in Reply._fields if name not in (*COLUMNS, "text"))
INSERT = f"INSERT INTO calls ({', '.join(COLUMNS)}, seal) VALUES ({'?, ' * len(COLUMNS)}?)"
SHORT = 4_000  # characters of a message whose hash is worth remembering
FRAME: dict[str, Any] = {
    "arm": pl.Int32,
    **dict.fromkeys(PLACE, pl.Int32),
    "model": pl.String,
    "address": pl.String,
    "verb": pl.String,
    "tokens_in": pl.Int64,
    "tokens_out": pl.Int64,
    "tokens_cached": pl.Int64,  # of those in: from the provider's own prefix cache, as it reported
    "cost": pl.Float64,  # money; null: the price is not known
    "seconds": pl.Float64,
    "waited": pl.Float64,
    "tries": pl.Int32,
    "trouble": pl.String,  # null: there was none
    "cached": pl.Boolean,  # answered from our own cache: nothing was sent
    "replied": pl.Boolean,
    "prompt": pl.Int64,  # characters of its messages
    "shared": pl.Int64,  # of these: how many the seat's call before to this model began with, too
}


class SpentAt(NamedTuple):
    """What was spent on one model at one address."""

    model: str
    address: str
    calls: int
    tokens_in: int
    tokens_out: int
    money: float  # of the calls whose price is known
    unpriced: int  # calls whose price is not known


class Spent(NamedTuple):
    """What was spent. Calls answered from the cache were not sent, and cost nothing."""

    money: float
    tokens: int  # in and out
    at: tuple[SpentAt, ...]  # by model and address, in this order


def ready(connection: sqlite3.Connection) -> None:
    """Make the tables where there are none: a log of before."""
    if not there(connection):
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")


def there(connection: sqlite3.Connection, base: str = "main") -> bool:
    """Whether a log has a journal of calls."""
    return bool(connection.execute(f"SELECT 1 FROM {base}.sqlite_master WHERE name = 'calls'").fetchone())


def put(connection: sqlite3.Connection, made: Iterable[tuple[tuple[int, ...], Call]]) -> None:
    """Append calls, each with its (match, step, seat, attempt, number)."""
    for place, call in made:
        links = _chain(call.messages)
        last = links[-1][0] if links else FIRST
        answer = [] if call.reply is None else _chain([Message("assistant", call.reply.text)], last)
        _store(connection, [*links, *answer])
        row = _row(place, call, last, answer[0][0] if answer else None)
        connection.execute(INSERT, (*row, _seal(row)))


def spent(connection: sqlite3.Connection) -> Spent:
    """In all, and by endpoint."""
    query = """SELECT model, address, count(*), sum(tokens_in), sum(tokens_out), total(cost), sum(cost IS NULL)
               FROM calls WHERE NOT cached GROUP BY model, address ORDER BY model, address"""
    at = tuple(SpentAt(*row) for row in connection.execute(query))
    return Spent(sum(each.money for each in at), sum(each.tokens_in + each.tokens_out for each in at), at)


def matches(connection: sqlite3.Connection) -> set[int]:
    """The matches in which a model was called."""
    return {match for (match,) in connection.execute("SELECT DISTINCT match FROM calls")} if there(connection) else set()


def of_match(
    folder: Path, connection: sqlite3.Connection, match: int, steps: tuple[int, int] = (-1, 2**62), seat: int | None = None
) -> list[tuple[int, int, int, int, Call]]:  # fmt: skip
    """(step, seat, attempt, number, call) of one match, in the order in which they were made; of these steps, or of a seat, only."""
    texts = _Texts(folder, connection)
    rows = _rows(folder, connection, "WHERE match = ? AND step BETWEEN ? AND ? AND seat = ifnull(?, seat)", (match, *steps, seat))
    return [(*row[1:5], _call(texts, dict(zip(COLUMNS, row, strict=True)))) for row in rows]


def frame(folder: Path, connection: sqlite3.Connection, arms: dict[int, int]) -> pl.DataFrame:
    """All calls; `arms` says to which arm a match belongs."""
    texts, before, columns = _Texts(folder, connection), dict[Any, bytes](), {name: list[Any]() for name in FRAME}
    for row in _rows(folder, connection):
        call = dict(zip(COLUMNS, row, strict=True))
        seat, last = (call["match"], call["seat"], call["model"]), call["messages"]
        known = {**call, "arm": arms.get(call["match"]), "trouble": call["trouble"] or None, "cached": bool(call["cached"])}
        known |= {"replied": call["reply"] is not None, "prompt": texts.node(last).size}
        known["shared"] = texts.shared(before[seat], last) if seat in before else 0
        before[seat] = last
        for name, values in columns.items():
            values.append(known[name])
    return pl.DataFrame(columns, FRAME)


def differences(connection: sqlite3.Connection, one: str, other: str) -> list[tuple[Any, ...]]:
    """The calls (`SAME`) that one log has and the other hasn't, each once; those that came to nothing do not count."""
    mine, theirs = (_same(connection, base) for base in (one, other))
    return connection.execute(f"{mine} EXCEPT {theirs} ORDER BY {', '.join(PLACE)}").fetchall()


def _same(connection: sqlite3.Connection, base: str) -> str:
    if not there(connection, base):
        return f"SELECT {', '.join(f'NULL AS {name}' for name in SAME)} WHERE 0"
    return f"SELECT {', '.join(SAME)} FROM {base}.calls WHERE reply IS NOT NULL"


def _store(connection: sqlite3.Connection, links: Sequence[tuple[bytes, bytes, str, str]]) -> None:
    """Add the messages that are not there: those at the end."""
    for key, parent, role, text in reversed(links):
        row = (key, parent, role, _bytes(text))
        if not connection.execute("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?)", row).rowcount:
            return  # it is there, and so are all before it


def _chain(messages: Sequence[Message], parent: bytes = FIRST) -> list[tuple[bytes, bytes, str, str]]:
    """(hash, parent, role, text) of each message."""
    out = []
    for role, text in messages:
        key = (_known if len(text) <= SHORT else _hash)(parent, role, text)
        out.append((key, parent, role, text))
        parent = key
    return out


def _hash(parent: bytes, role: str, text: str) -> bytes:
    return _digest(parent, role, _bytes(text))


def _digest(parent: bytes, role: str, data: bytes) -> bytes:
    return blake2b(b"\0".join((parent, role.encode(), data)), digest_size=16).digest()


_known = functools.lru_cache(8192)(_hash)  # a conversation is sent again and again


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # whatever a server sent, half a character included


def _row(place: tuple[int, ...], call: Call, last: bytes, answer: bytes | None) -> tuple[Any, ...]:
    reply, cost = call.reply or Reply(""), None if call.cost is None else float(call.cost)
    return (
        *place, call.model, call.address, call.verb, last, answer, reply.tokens_in, reply.tokens_out, reply.tokens_cached, cost,
        float(call.seconds), float(call.waited), call.tries, whole(call.trouble), int(call.cached), dumps(_body(call, reply)),
    )  # fmt: skip


def _body(call: Call, reply: Reply) -> dict[str, Any]:
    """What has no column of its own: the settings, and of the reply what is not as usual."""
    own = {name: getattr(call, name) for name in OWN}
    told = {name: getattr(reply, name) for name in TOLD}
    odd = {name: value for name, value in told.items() if value == value and value != Reply._field_defaults[name]}  # NaN is usual
    return {**own, "reply": odd} if odd else own


def _seal(row: Sequence[Any]) -> int:
    return zlib.crc32(dumps([value.hex() if isinstance(value, bytes) else value for value in row]).encode())


def _rows(folder: Path, connection: sqlite3.Connection, which: str = "", values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """The calls as they stand, each checked."""
    if not there(connection):
        return
    for *row, sealed in connection.execute(f"SELECT {', '.join(COLUMNS)}, seal FROM calls {which} ORDER BY call", values):
        if _seal(row) != sealed:
            place = "match {}, step {}, seat {}, attempt {}, call {}".format(*row[:5])
            raise damaged(folder / NAME, f"{place}: it is not as it was written")
        yield tuple(row)


def _call(texts: _Texts, row: dict[str, Any]) -> Call:
    body = json.loads(row["body"])
    told = _tuples(body.pop("reply", {})) | {name: row[name] for name in Reply._fields if name in row}
    reply = None if row["reply"] is None else Reply(texts.message(row["reply"])[1].text, **told)
    known = {name: row[name] for name in Call._fields if name in row} | _tuples(body)
    return Call(**{**known, "messages": texts.conversation(row["messages"]), "reply": reply, "cached": bool(row["cached"])})


def _tuples(body: dict[str, Any]) -> dict[str, Any]:
    """Fields as they were before JSON made lists of them."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}


class _Node(NamedTuple):
    """A message in its chain."""

    parent: bytes
    depth: int  # messages to here, itself included
    size: int  # their characters


class _Texts:
    """The messages of a log, each checked against its hash."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder, self.connection = folder, connection
        self.nodes = {FIRST: _Node(FIRST, 0, 0)}

    def message(self, key: bytes) -> tuple[bytes, Message]:
        """(its parent, the message)."""
        row = self.connection.execute("SELECT parent, role, text FROM messages WHERE hash = ?", (key,)).fetchone()
        if row is None:
            raise self._missing(key)
        return row[0], Message(row[1], self._text(key, *row))

    def conversation(self, last: bytes) -> tuple[Message, ...]:
        """All messages to this one."""
        out = []
        while last != FIRST:
            last, message = self.message(last)
            out.append(message)
        return tuple(reversed(out))

    @functools.cached_property
    def links(self) -> dict[bytes, tuple[bytes, int]]:
        """Of all messages: the parent, and how many characters."""
        query = self.connection.execute("SELECT hash, parent, role, text FROM messages")
        return {key: (parent, len(self._text(key, parent, role, text))) for key, parent, role, text in query}

    def node(self, key: bytes) -> _Node:
        """Where a message stands in its chain."""
        branch, above = [], key
        while above not in self.nodes:
            if above not in self.links:
                raise self._missing(above)
            branch.append(above)
            above = self.links[above][0]
        for below in reversed(branch):
            parent, size = self.links[below]
            self.nodes[below] = _Node(parent, self.nodes[parent].depth + 1, self.nodes[parent].size + size)
        return self.nodes[key]

    def shared(self, one: bytes, other: bytes) -> int:
        """How many characters two conversations have in common from their beginning."""
        ends, apart = [one, other], [FIRST, FIRST]  # apart: of each the first message that the other has not
        while ends[0] != ends[1]:
            deeper = int(self.node(ends[1]).depth > self.node(ends[0]).depth)
            apart[deeper], ends[deeper] = ends[deeper], self.node(ends[deeper]).parent
        return self.node(ends[0]).size + (self._alike(*apart) if FIRST not in apart else 0)

    def _alike(self, one: bytes, other: bytes) -> int:
        """The characters with which both messages begin; none where they are of different roles."""
        (_, a), (_, b) = self.message(one), self.message(other)
        pairs = zip(a.text, b.text, strict=False) if a.role == b.role else ()
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))

    def _text(self, key: bytes, parent: bytes, role: str, data: bytes) -> str:
        """The text of a message. Raises LogError where it is not what was stored under its hash."""
        if _digest(parent, role, data) != key:
            raise damaged(self.folder / NAME, f"the {role} message {key.hex()} is not as it was written")
        return data.decode("utf-8", "surrogatepass")

    def _missing(self, key: bytes) -> LogError:
        return damaged(self.folder / NAME, f"the message {key.hex()} is missing")
