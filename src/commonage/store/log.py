"""The log of one study: one writer, many readers. SQLite for events; Parquet chunks for compiled batches.

    with Log.create("runs/lake", study) as log:     # or Log.open("runs/lake") to go on
        log.arm(header)
        log.write(match, step, seat, attempt, event)
        log.call(match, step, seat, attempt, number, call)
        log.flush()

What was flushed survives `kill -9`; what was not is lost, and nothing else.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from operator import index
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from commonage.errors import LogError
from commonage.model import Call
from commonage.store import calls, file, mixed, parquet, tail
from commonage.store.codec import dumps, encode, seal
from commonage.store.file import guarded
from commonage.store.lock import Lock
from commonage.store.same import differences

PROBE = 512 * 1024  # bytes that must fit on the disk before anything runs
KEY = "match = ? AND step = ? AND seat = ? AND attempt = ? AND kind = ?"
INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Log:
    """Writes the log of one study. One writer at a time, one thread at a time; a context manager."""

    # Tests stop a process here and kill it: "commit" (rows are inserted, not committed), "chunk" (half a file is written).
    reached: Callable[[str], None] = staticmethod(lambda place: None)

    def __init__(self, folder: Path, lock: Lock, study: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self._lock = lock
        self._rows: list[tuple[Any, ...]] = []
        self._calls: list[tuple[tuple[int, ...], Call]] = []
        with closing(file.connect(folder)) as reader, guarded(folder / file.NAME):
            _look_over(folder, reader, study)
        parquet.sweep(folder)
        self._file = file.writable(folder)
        with guarded(folder / file.NAME):
            calls.ready(self._file)
            tail.ready(self._file)

    @classmethod
    def create(cls, folder: str | Path, study: dict[str, Any]) -> Self:
        """The log in `folder`, made if it isn't there; goes on where the folder holds the same study.

        Raises LogError: the folder cannot be written, the disk is full, it holds another study or a damaged log,
        another process writes.
        """
        folder, text = Path(folder), dumps(study)
        with guarded(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder) as lock:
            if not file.is_log(folder):
                file.make(folder, text)
            return cls(folder, lock, json.loads(text))

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """The log that is there, to go on with. Raises LogError as `create` does, and when there is none."""
        folder = Path(folder)
        file.expect(folder)
        with _locked(folder) as lock:
            return cls(folder, lock)

    @property
    def study(self) -> dict[str, Any]:
        """The study as it was given to `create`."""
        return json.loads(file.meta(self.folder, self._file, "study"))

    @property
    def arms(self) -> list[dict[str, Any]]:
        """The headers of the arms so far, by number."""
        return file.headers(self.folder, self._file)

    def arm(self, header: dict[str, Any]) -> None:
        """Record the header of an arm; again with the same header is fine, another one raises LogError."""
        text = dumps(header)
        known = self._file.execute("SELECT header FROM arms WHERE arm = ?", (header["arm"],)).fetchone()
        if known:
            return _same(self.folder, f"another arm {header['arm']}", json.loads(known[0]), json.loads(text))
        with self._transaction():
            self._file.execute("INSERT INTO arms VALUES (?, ?, ?)", (header["arm"], text, seal(text, header["arm"])))

    def write(self, match: int, step: int, seat: int, attempt: int, event: Any) -> None:
        """Buffer one event; it is on disk after `flush`. The attempt of what concerns the whole table is 0."""
        match, step, seat, attempt = index(match), index(step), index(seat), index(attempt)
        kind, body = encode(event)
        self._rows.append((match, step, seat, attempt, kind, body, seal(body, match, step, seat, attempt), time.time()))

    def call(self, match: int, step: int, seat: int, attempt: int, number: int, call: Call) -> None:
        """Buffer one call of a model, made for the answer of this attempt, as its `number`-th from 0; on disk after `flush`.

        A call is never in the place of another: what was sent again stands there again.
        """
        self._calls.append(((index(match), index(step), index(seat), index(attempt), index(number)), call))

    def flush(self) -> None:
        """Put all buffered events and calls on disk, in one transaction. On an error they stay in the buffer."""
        if not self._rows and not self._calls:
            return
        try:
            with self._transaction():
                self._put(INSERT, self._rows)
                Log.reached("commit")
        except sqlite3.IntegrityError:
            rows = self._settled()
            with self._transaction():
                self._put(INSERT.replace("INSERT", "REPLACE"), rows)
        self._rows.clear()
        self._calls.clear()

    def spent(self) -> calls.Spent:
        """Money and tokens so far, in all and by endpoint."""
        self.flush()
        with guarded(self.folder / file.NAME):
            return calls.spent(self._file)

    def events(self, match: int) -> list[tuple[int, int, int, Any]]:
        """(step, seat, attempt, event) of one match, in the order of play: within a step the seats, then the table."""
        self.flush()
        with guarded(self.folder / file.NAME):
            return mixed.of_match(self.folder, self._file, match)

    def status(self) -> dict[int, str]:
        """For every match that has begun: "finished", "failed", "paused" or "open"."""
        self.flush()
        with guarded(self.folder / file.NAME):
            out = {match: end.status for match, end in mixed.outcomes(self.folder, self._file, (0, 2**62)).items()}
            for chunk in file.chunks(self.folder, self._file):
                out.update(parquet.read(self.folder, chunk, "matches").select("match", "status").iter_rows())
        return out

    def chunk(self, arm: int, number: int, matches: Any, steps: Any = None, moves: Any = None) -> None:
        """Write one compiled batch: dicts of columns (NumPy), one row per match / step / seat and step.

        matches: match, repeat, order [rows, seats]; may have status ("finished"), where, cause, and steps, rounds, ended,
            truncated (else counted from `steps`).
        steps: match, step, round, round_over, ended, truncated, and every scalar fact.
        moves: match, step, round, seat, place, question (-1 none), move (-1 none), forced, reward, deed (NaN none), toward,
            and every per-seat fact; seats are places in the seat list.
        """
        if number in self.chunks(arm):
            raise LogError(
                f"{str(self.folder)!r} has chunk {number} of arm {arm} already, and what is in a log stays. Skip `log.chunks(arm)`"
            )
        written = parquet.write(self.folder, arm, number, parquet.frames(matches, steps, moves), Log.reached)
        with self._transaction():
            file.put_chunk(self._file, written)
            tail.put(self._file, [tail.Span(written.first, written.last, 0)])

    def chunks(self, arm: int) -> set[int]:
        """The numbers of the chunks of an arm that are on disk."""
        with guarded(self.folder / file.NAME):
            return {number for (number,) in self._file.execute("SELECT number FROM chunks WHERE arm = ?", (arm,))}

    def tables(self, arm: int, number: int) -> dict[str, pl.DataFrame]:
        """The tables of one chunk, as `chunk` wrote them; {} where there is no such chunk."""
        with guarded(self.folder / file.NAME):
            mine = [chunk for chunk in file.chunks(self.folder, self._file) if chunk[:2] == (arm, number)]
        return {table: parquet.read(self.folder, chunk, table) for chunk in mine for table in chunk.files}

    def close(self) -> None:
        """Flush, and let other writers in."""
        try:
            self.flush()
        finally:
            self._file.close()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _put(self, insert: str, rows: list[tuple[Any, ...]]) -> None:
        self._file.executemany(insert, rows)
        calls.put(self._file, self._calls)
        tail.put(self._file, tail.spans([*((row[0], row[1]) for row in rows), *((place[0], place[1]) for place, _ in self._calls)]))

    def _settled(self) -> list[tuple[Any, ...]]:
        """The buffered rows where some are there already: the same again changes nothing, a pause takes the place of an earlier."""
        rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for row in self._rows:
            key, body = row[:5], row[5]
            there = rows.get(key) or self._file.execute(f"SELECT * FROM events WHERE {KEY}", key).fetchone()
            if there and there[5] != body and key[4] != "paused":
                place = "match {}, step {}, seat {}, attempt {}".format(*key)
                raise LogError(f"{str(self.folder)!r}: at {place} it has {key[4]} {there[5]}, and what is in a log stays; not {body}")
            rows[key] = row
        return list(rows.values())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with guarded(self.folder / file.NAME):
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise


def _look_over(folder: Path, reader: sqlite3.Connection, study: dict[str, Any] | None) -> None:
    """Raise LogError unless all files are there and belong to this study; only read so far, so nothing is changed."""
    if study is not None:
        _same(folder, "another study", json.loads(file.meta(folder, reader, "study")), study)
    for chunk in file.chunks(folder, reader):
        for table in chunk.files:
            parquet.check(folder, chunk, table)


@contextmanager
def _locked(folder: Path) -> Iterator[Lock]:
    """Hold the lock of a folder that can be written; let it go where what follows fails."""
    with guarded(folder):
        _probe(folder)
        lock = Lock(folder)
    try:
        yield lock
    except BaseException:
        lock.release()
        raise


def _probe(folder: Path) -> None:
    """Raise OSError where the folder cannot be written or the disk is full, before anything runs."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(PROBE))
        probe.flush()
        os.fsync(probe.fileno())


def _same(folder: Path, what: str, there: dict[str, Any], given: dict[str, Any]) -> None:
    found = next(differences(there, given), None)
    if found:
        raise LogError(f"{str(folder)!r} holds {what}: {found}. Give the same again to go on, or another folder with --out")
