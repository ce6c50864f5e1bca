"""One writer at a time: a lock that the system releases when its process ends, however it ends."""

from __future__ import annotations

import os
from pathlib import Path

from commonage.errors import LogError

if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks: go on without, as SQLite has its own for each transaction
            return


class Lock:
    """Held from construction to `release`. Raises LogError where another process (or this one) holds it."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / "log.lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(self._descriptor)
        except OSError as error:
            self.release()
            raise LogError(
                f"{str(folder)!r} is being written by another process, and a log has one writer. "
                "Wait until it ends (reading meanwhile is fine), end it, or give another folder with --out"
            ) from error

    def release(self) -> None:
        """Let others in; again is fine."""
        held, self._descriptor = self._descriptor, -1
        if held >= 0:
            os.close(held)
