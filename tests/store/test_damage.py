"""A damaged log is refused with the place named, and stays as it is, byte for byte."""

import shutil
import sqlite3

import logs
import pytest

from commonage.errors import LogError
from commonage.store.codec import seal
from commonage.store.log import Log
from commonage.store.read import equal, events, match, read

READERS = (read, events, lambda folder: match(folder, 1), lambda folder: equal(folder, folder))
WRITERS = (Log.open, lambda folder: Log.create(folder, logs.STUDY))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return logs.both(tmp_path_factory.mktemp("sound") / "run")


@pytest.fixture
def folder(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "run")


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "log.lock"}


def refused(folder, uses, says):
    """All uses raise with these words, and leave every byte as it was."""
    before = contents(folder)
    for use in uses:
        with pytest.raises(LogError, match=says) as caught:
            use(folder)
        assert str(folder) in str(caught.value)
        assert "--out" in str(caught.value)
    assert contents(folder) == before


def put(path, at, data):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize("keep", [5, 100, 3000, 4096, 8192, -1, -4096])
def test_a_truncated_file(folder, keep):
    path = folder / "log.sqlite"
    data = path.read_bytes()
    path.write_bytes(data[:keep])
    refused(folder, READERS + WRITERS, r"log\.sqlite is damaged: .*Nothing was changed")


@pytest.mark.parametrize("page", range(2, 7))
def test_garbage_over_a_page(folder, page):
    size = (folder / "log.sqlite").stat().st_size
    if page * 4096 >= size:
        pytest.skip("the log has fewer pages")
    put(folder / "log.sqlite", (page - 1) * 4096, bytes(range(256)) * 16)
    refused(folder, (*READERS[:2], *WRITERS), r"log\.sqlite is damaged: ")


@pytest.mark.parametrize("data", [b"", b"this is not a log", b"SQLite format 3\0" + bytes(5000)])
def test_another_kind_of_file(folder, data):
    (folder / "log.sqlite").write_bytes(data)
    if not data:
        with pytest.raises(LogError, match="no log in"):
            read(folder)
    else:
        refused(folder, READERS + WRITERS, r"log\.sqlite is damaged: ")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'{"question":0,"move":2}', b'{"question":0,"move":3}', r"match \d, step \d, seat \d: the event 'moved' is not as it was written"),
        (b'"rewards":[0.333', b'"rewards":[0.433', r"match 1, step \d, seat -1: the event 'stepped' is not as it was written"),
        (b'{"rounds":2,"ended":false}', b'{"rounds":1,"ended":false}', r"match \d, step 4, seat -1: the event 'finished' is not"),
        (b'"arm":0,"repeat":1', b'"arm":1,"repeat":1', r"match 2, step -1, seat -1: the event 'started' is not as it was written"),
        (b'"seed":7,"repeats":3,"first":4', b'"seed":8,"repeats":3,"first":4', "the header of arm 1 is not as it was written"),
    ],
)
def test_a_changed_value(folder, old, new, says):
    """SQLite cannot see a changed digit; the checksum of each row does."""
    path = folder / "log.sqlite"
    assert old in path.read_bytes()
    put(path, path.read_bytes().index(old), new)
    refused(folder, (read, events), says)


def test_a_row_that_was_moved(folder):
    with sqlite3.connect(folder / "log.sqlite") as connection:
        connection.execute("UPDATE events SET seat = 7 WHERE match = 2 AND step = 1 AND seat = 0")
    connection.close()
    refused(folder, (read, events), "match 2, step 1, seat 7: the event 'moved' is not as it was written")
    with pytest.raises(LogError, match="match 2, step 1, seat 7"), Log.open(folder) as log:
        log.events(2)


@pytest.mark.parametrize("table", ["matches", "steps", "moves"])
class TestChunks:
    """Chunk 0 of arm 1: its files."""

    def test_missing(self, folder, table):
        (folder / "arm-0001" / f"chunk-0000.{table}.parquet").unlink()
        refused(folder, (*READERS[:2], *WRITERS), rf"chunk-0000\.{table}\.parquet is damaged: the file is missing")

    def test_truncated(self, folder, table):
        path = folder / "arm-0001" / f"chunk-0000.{table}.parquet"
        path.write_bytes(path.read_bytes()[:-7])
        refused(folder, (*READERS[:2], *WRITERS), rf"chunk-0000\.{table}\.parquet is damaged: it has [\d,]+ bytes, and [\d,]+ were written")

    @pytest.mark.parametrize("at", [0, 0.3, 0.6, 0.99])
    def test_one_byte_changed(self, folder, table, at):
        path = folder / "arm-0001" / f"chunk-0000.{table}.parquet"
        data = bytearray(path.read_bytes())
        data[int(at * len(data))] ^= 1
        path.write_bytes(data)
        refused(folder, READERS[:2], rf"chunk-0000\.{table}\.parquet is damaged: .*checksum")


def test_the_other_arm_can_still_be_read(folder):
    (folder / "arm-0001" / "chunk-0000.moves.parquet").unlink()
    assert read(folder, arms=[0]).matches.height == 3
    assert read(folder, matches=[6]).matches.height == 1


def test_a_newer_format(folder):
    with sqlite3.connect(folder / "log.sqlite") as connection:
        connection.execute("UPDATE meta SET value = ?, seal = ? WHERE key = 'format'", ("commonage log 2", seal("commonage log 2")))
    connection.close()
    before = contents(folder)
    for use in READERS + WRITERS:
        with pytest.raises(LogError, match=r"is a 'commonage log 2'; this commonage reads 'commonage log 1'.*upgrade"):
            use(folder)
    assert contents(folder) == before


def test_some_other_database(tmp_path):
    with sqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    refused(tmp_path, READERS + WRITERS, r"is a SQLite file, but no log of commonage \(its tables: recipes\)")


@pytest.mark.parametrize(
    "begun", [lambda path: path.touch(), lambda path: sqlite3.connect(path).execute("PRAGMA journal_mode = WAL").connection.close()]
)
def test_a_writer_killed_at_its_first_breath(tmp_path, begun):
    """A file without tables is no log yet, and no damage."""
    begun(tmp_path / "log.sqlite")
    for use in (read, Log.open):
        with pytest.raises(LogError, match="no log in"):
            use(tmp_path)
    assert read(logs.both(tmp_path)).matches.height == 6


def test_leftovers_are_no_damage(folder):
    """What a killed process leaves: a temporary file, and a chunk whose row was not committed."""
    place = folder / "arm-0001"
    (place / "chunk-0002.moves.parquet.tmp").write_bytes(b"half")
    (place / "chunk-0002.steps.parquet").write_bytes(b"whole, but not in the log")
    assert read(folder).matches.height == 6
    assert (place / "chunk-0002.moves.parquet.tmp").exists()  # a reader touches nothing
    with Log.open(folder) as log:
        assert log.chunks(1) == {0, 1}
    assert not (place / "chunk-0002.moves.parquet.tmp").exists()
