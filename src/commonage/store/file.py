"""The SQLite file of a log: its tables, opening it, and the errors that name the place and the way out.

The events of a match stand under (match, step, seat, attempt, kind). What concerns the whole table has the
seat -1 (`event.TABLE`): `Started` at step -1; at each step its `Stepped`; `Paused` and `Failed` at the step
that was not completed; `Finished` one step after the last. Two of them can meet at one step (a pause, and
what the step did after it was overcome), so the kind belongs to the key.
"""

from __future__ import annotations

import contextlib
import errno
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from commonage.errors import LogError
from commonage.store.codec import dumps, seal

NAME = "log.sqlite"
FORMAT = "commonage log 1"

SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, seal INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE arms (arm INTEGER PRIMARY KEY, header TEXT NOT NULL, seal INTEGER NOT NULL);
CREATE TABLE events (
    match INTEGER NOT NULL, step INTEGER NOT NULL, seat INTEGER NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, seal INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (match, step, seat, attempt, kind)
) WITHOUT ROWID;
CREATE TABLE chunks (
    arm INTEGER NOT NULL, number INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    files TEXT NOT NULL, seal INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (arm, number)
) WITHOUT ROWID;
"""

_AGAIN = "Give another folder with --out"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READS = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}
_DENIED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


def damaged(path: Path, what: str) -> LogError:
    """The error for a log that is not as it was written."""
    return LogError(f"{path} is damaged: {what}. Nothing was changed. Put back a copy, or play the study again into another folder (--out)")


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn what the file system and SQLite raise into LogError, with the way out."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # no fault of the file
    except OSError as error:
        raise _unwritable(path, error) from error
    except sqlite3.Error as error:
        raise _explain(path, error) from error


def connect(folder: Path, whole: bool = True) -> sqlite3.Connection:
    """The log in `folder`, checked, for reading: a damaged one stays as it is. Not `whole`: only its head is looked at."""
    path = expect(folder)
    with guarded(path):
        connection = _look_into(path)
        try:
            _recognize(path, connection)
            if whole:
                _check(path, connection)
        except BaseException:
            connection.close()
            raise
        return connection


def writable(folder: Path) -> sqlite3.Connection:
    """The log in `folder` for its one writer, who has looked at it through `connect` before."""
    with guarded(folder / NAME):
        connection = _open(folder / NAME, "rw")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


def expect(folder: Path) -> Path:
    """The file of the log in `folder`. Raises LogError where there is none."""
    if not is_log(folder):
        raise LogError(f"no log in {str(folder)!r}: it has no {NAME}. Give a folder that `commonage play --out` or `commonage study` wrote")
    return folder / NAME


def is_log(folder: Path) -> bool:
    """Whether something was ever committed in the folder's file: a process killed at its first breath leaves none."""
    path = folder / NAME
    if not path.exists() or path.stat().st_size == 0:
        return False
    with guarded(path), contextlib.closing(_look_into(path)) as connection:
        return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0


def make(folder: Path, study: str) -> None:
    """A new file, in one transaction."""
    path = folder / NAME
    with guarded(path), contextlib.closing(_open(path, "rwc")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        put_meta(connection, "format", FORMAT)
        put_meta(connection, "study", study)
        connection.execute("COMMIT")


def put_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Record one text about the log."""
    connection.execute("INSERT INTO meta VALUES (?, ?, ?)", (key, value, seal(value)))


def meta(folder: Path, connection: sqlite3.Connection, key: str) -> str:
    """A text that `put_meta` recorded."""
    row = connection.execute("SELECT value, seal FROM meta WHERE key = ?", (key,)).fetchone()
    if row is None or row[1] != seal(row[0]):
        raise damaged(folder / NAME, f"its {key} is not as it was written")
    return row[0]


def headers(folder: Path, connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """The headers of the arms, by number."""
    out = []
    for arm, header, sealed in connection.execute("SELECT arm, header, seal FROM arms ORDER BY arm"):
        if sealed != seal(header, arm):
            raise damaged(folder / NAME, f"the header of arm {arm} is not as it was written")
        out.append(json.loads(header))
    return out


class Chunk(NamedTuple):
    """One compiled batch: three files that hold the matches first..last."""

    arm: int
    number: int
    first: int
    last: int
    files: dict[str, list[int]]  # table -> [bytes, CRC-32]


def chunks(folder: Path, connection: sqlite3.Connection) -> list[Chunk]:
    """The chunks that count, by arm and number."""
    out = []
    for arm, number, first, last, files, sealed in connection.execute(
        "SELECT arm, number, first, last, files, seal FROM chunks ORDER BY arm, number"
    ):
        if sealed != seal(files, arm, number, first, last):
            raise damaged(folder / NAME, f"the row of chunk {number} of arm {arm} is not as it was written")
        out.append(Chunk(arm, number, first, last, json.loads(files)))
    return out


def put_chunk(connection: sqlite3.Connection, chunk: Chunk) -> None:
    """Make a chunk count."""
    files = dumps(chunk.files)
    connection.execute("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)", (*chunk[:4], files, seal(files, *chunk[:4]), time.time()))


def _look_into(path: Path) -> sqlite3.Connection:
    """Open without changing a byte: what a killed writer left beside the file stays there, else SQLite removes its own helpers."""
    wal = path.with_name(path.name + "-wal")
    try:
        return _open(path, "ro" if wal.exists() and wal.stat().st_size else "rw")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 255 not in _DENIED:
            raise
        return _open(path, "ro&immutable=1")  # a folder that may not be written: no room for helpers


def _open(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _recognize(path: Path, connection: sqlite3.Connection) -> None:
    """Raise unless this is a log in a format that we know."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"meta", "events"} <= tables:
        raise LogError(f"{path} is a SQLite file, but no log of commonage (its tables: {', '.join(sorted(tables))}). {_AGAIN}")
    form = meta(path.parent, connection, "format")
    if form != FORMAT:
        raise LogError(f"{path} is a {form!r}; this commonage reads {FORMAT!r}. A newer commonage wrote it: upgrade yours to read it")


def _check(path: Path, connection: sqlite3.Connection) -> None:
    """Raise unless its pages are sound: all of them are read."""
    size, page = path.stat().st_size, connection.execute("PRAGMA page_size").fetchone()[0]
    if size % page:
        raise damaged(path, f"it has {size:,} bytes, which are no whole pages of {page:,}")
    found = connection.execute("PRAGMA quick_check(3)").fetchall()
    if found != [("ok",)]:
        raise damaged(path, "; ".join(" ".join(line.split()) for (line,) in found))


def _unwritable(path: Path, error: OSError) -> LogError:
    why = error.strerror or str(error)
    if error.errno in _FULL:
        return LogError(
            f"{path}: the disk is full ({why}). What was recorded before is kept: make room and go on. {_AGAIN} to use another disk"
        )
    return LogError(f"{path}: cannot be used ({why}); a log needs a folder that you may write. {_AGAIN}")


def _explain(path: Path, error: sqlite3.Error) -> LogError:
    code = getattr(error, "sqlite_errorcode", 0) & 255
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and error.sqlite_errorcode not in _READS):
        return LogError(f"{path}: the disk is full or failing ({error}). What was recorded before is kept: make room and go on. {_AGAIN}")
    if code in _DENIED:
        return LogError(f"{path}: cannot be used ({error}); a log needs a folder that you may write. {_AGAIN}")
    if code == sqlite3.SQLITE_BUSY:
        return LogError(f"{path}: another process holds it ({error}). Wait until it ends, or give another folder with --out")
    return damaged(path, str(error))
