"""Compiled batches: three Parquet files a chunk, each whole or not there at all.

A file is written under a temporary name, synced and renamed; the chunk counts once its row, with size and
checksum of each file, is committed in SQLite. What a killed process left behind is written over.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from commonage.store.file import Chunk, damaged, guarded
from commonage.store.tables import CODED, COLUMNS, STATUS, counted

WORDS = ("arm", "choice")  # columns that the reader adds


def frames(matches: Any, steps: Any, moves: Any) -> dict[str, pl.DataFrame]:
    """The three tables as they are written: columns in order, types narrow, NaN deeds null."""
    out = {"steps": _frame("steps", steps), "moves": _frame("moves", moves)}
    out["moves"] = out["moves"].with_columns(pl.col("deed").fill_nan(None))
    table = _raw(matches).with_columns(pl.col("order").cast(pl.List(pl.Int32)))
    if "steps" not in table.columns:
        table = table.with_columns(pl.col("match").cast(pl.Int32)).join(
            counted(out["steps"]), on="match", how="left", maintain_order="left"
        )
        table = table.with_columns(pl.col("steps", "rounds").fill_null(0), pl.col("ended", "truncated").fill_null(False))
    usual = {"generation": pl.lit(1), "strategies": pl.lit(None, pl.String), "parents": pl.lit(None, pl.List(pl.Int32))}
    usual |= {
        "status": pl.lit("finished", STATUS),
        "where": pl.lit(None, pl.String),
        "cause": pl.lit(None, pl.String),
        "replaced": pl.lit(0),
    }
    table = table.with_columns(**{name: value for name, value in usual.items() if name not in table.columns})
    return {"matches": _typed("matches", table), **out}


def write(folder: Path, arm: int, number: int, tables: dict[str, pl.DataFrame], reached: Callable[[str], None]) -> Chunk:
    """Put the files of a chunk in place. Raises LogError where the disk is full."""
    files = {}
    for table, frame in tables.items():
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=1)
        data = buffer.getvalue()
        _put(path(folder, arm, number, table), data, reached)
        files[table] = [len(data), zlib.crc32(data)]
    _sync(folder / f"arm-{arm:04d}")
    matches = tables["matches"]["match"].to_list()
    return Chunk(arm, number, min(matches), max(matches), files)


def read(folder: Path, chunk: Chunk, table: str) -> pl.DataFrame:
    """One table of a chunk. Raises LogError where its file is missing or not as it was written."""
    check(folder, chunk, table)
    place = path(folder, chunk.arm, chunk.number, table)
    with guarded(place):
        data = place.read_bytes()
    if zlib.crc32(data) != chunk.files[table][1]:
        raise damaged(place, "its bytes are not those that were written (the checksum differs)")
    return pl.read_parquet(io.BytesIO(data))


def scan(folder: Path, chunk: Chunk, table: str) -> pl.LazyFrame:
    """One table of a chunk, of which only that is read that is asked for; its size is checked, not its bytes."""
    check(folder, chunk, table)
    return pl.scan_parquet(path(folder, chunk.arm, chunk.number, table))


def check(folder: Path, chunk: Chunk, table: str) -> None:
    """Raise LogError where a file of the chunk is missing or has another size."""
    place, size = path(folder, chunk.arm, chunk.number, table), chunk.files[table][0]
    if not place.exists():
        raise damaged(place, "the file is missing")
    if place.stat().st_size != size:
        raise damaged(place, f"it has {place.stat().st_size:,} bytes, and {size:,} were written")


def sweep(folder: Path) -> None:
    """Remove the temporary files that a killed process left."""
    for leftover in folder.glob("arm-*/*.tmp"):
        leftover.unlink()


def path(folder: Path, arm: int, number: int, table: str) -> Path:
    """Where a table of a chunk is."""
    return folder / f"arm-{arm:04d}" / f"chunk-{number:04d}.{table}.parquet"


def _frame(table: str, columns: Any) -> pl.DataFrame:
    return _typed(table, pl.DataFrame(schema=_schema(table)) if columns is None else _raw(columns))


def _raw(columns: Any) -> pl.DataFrame:
    if isinstance(columns, pl.DataFrame):
        return columns
    return pl.DataFrame({name: np.asarray(values) if hasattr(values, "__array__") else values for name, values in columns.items()})


def _typed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    schema = _schema(table)
    missing = [name for name in schema if name not in frame.columns]
    if missing:
        raise ValueError(f"the {table} of a chunk lack the columns {', '.join(missing)}; they have {', '.join(frame.columns)}")
    return frame.select(pl.col(name).cast(kind) for name, kind in schema.items()).hstack(frame.drop(*schema, *WORDS, strict=False))


def _schema(table: str) -> dict[str, Any]:
    return {name: CODED.get(name, kind) for name, kind in COLUMNS[table].items() if name not in WORDS}


def _put(place: Path, data: bytes, reached: Callable[[str], None]) -> None:
    temporary = place.with_name(place.name + ".tmp")
    with guarded(place):
        place.parent.mkdir(exist_ok=True)
        try:
            with temporary.open("wb", buffering=0) as file:
                _all(file, data[: len(data) // 2])
                reached("chunk")
                _all(file, data[len(data) // 2 :])
                os.fsync(file.fileno())
            os.replace(temporary, place)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _all(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _sync(folder: Path) -> None:
    """Make renames last through a power cut, where the system lets folders be synced."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
