# pyright: strict
"""Replies that were paid for once: one SQLite file. The same call of the same match finds its reply again."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from commonage.errors import SpecError
from commonage.model import Reply

NAME = "calls.sqlite"
WAY = "Name another folder with --cache, or none with --no-cache"


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode


def folder() -> Path:
    """Where the cache lives if nobody says otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "commonage"


def key(*parts: Any) -> str:
    """sha256 of everything that makes a call this call, as JSON."""
    return hashlib.sha256(_encode(parts).encode()).hexdigest()


class Cache:
    """Key -> Reply. What was committed survives `kill -9`; several processes may share it. Raises SpecError where it cannot be opened."""

    def __init__(self, where: str | Path | None = None) -> None:
        self.path = Path(where or folder()) / NAME
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _opened(self.path)
        except (OSError, sqlite3.Error) as error:
            raise SpecError(f"the cache {str(self.path)!r} cannot be used: {error}. {WAY}") from error

    def get(self, name: str) -> Reply | None:
        """The reply, if it is there."""
        row = self._file.execute("SELECT reply FROM calls WHERE key = ?", (name,)).fetchone()
        if not row:
            return None
        fields = json.loads(row[0])
        fields["p"] = tuple(fields["p"])  # a list in JSON
        return Reply(**fields)

    def put(self, name: str, model: str, reply: Reply) -> None:
        """Keep it; `commit` soon. A cache that cannot be written is a warning: the reply is in the log, too."""
        self._tell(self._put, (name, model, json.dumps(reply._asdict()), time.time()))

    def commit(self) -> None:
        """What was put is on disk."""
        self._tell(self._file.commit)

    def _put(self, row: tuple[Any, ...]) -> None:
        if not self._file.in_transaction:
            self._file.execute("BEGIN IMMEDIATE")
        self._file.execute("INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?)", row)

    def _tell(self, write: Callable[..., None], *arguments: Any) -> None:
        try:
            write(*arguments)
        except sqlite3.Error as error:
            warnings.warn(f"the cache {str(self.path)!r} cannot be written: {error}. {WAY}", UserWarning, stacklevel=3)

    def close(self) -> None:
        """Let the file go."""
        self.commit()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _opened(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=10, isolation_level=None)
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing; a power cut may
    file.execute("CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, model TEXT, reply TEXT, at REAL) WITHOUT ROWID")
    return file
