"""Parts of a log are what the whole has there; what is appended is numbered, and nothing is missed."""

import pytest
from logs import MATCHES, STEPS, STUDY, both, header, play_mixed, rows

from commonage.errors import LogError
from commonage.event import TABLE, Failed, Paused
from commonage.store import file, ranges, read
from commonage.store.log import Log
from commonage.store.tail import Span


@pytest.fixture
def folder(tmp_path):
    return both(tmp_path / "log")


def test_standings_are_those_of_the_tables_for_both_runners(folder):
    table = read.read(folder).matches
    with ranges.opened(folder) as log:
        found = log.standings(1, 99)
    for row in table.iter_rows(named=True):
        standing = found[row["match"]]
        assert {name: getattr(standing, name) for name in ("arm", "repeat", "status", "rounds", "steps", "ended", "order")} == {
            name: row[name] for name in ("arm", "repeat", "status", "rounds", "steps", "ended", "order")
        }
    assert list(found) == [1, 2, 3, 4, 5, 6]


def test_any_range_of_steps_is_a_part_of_the_whole(folder):
    with ranges.opened(folder) as log:
        for first in range(-1, STEPS):
            for last in range(first, STEPS + 1):
                assert log.events(2, (first, last)) == [row for row in read.match(folder, 2) if first <= row[0] <= last]


def test_a_compiled_match_is_told_as_a_mixed_one(folder):
    with ranges.opened(folder) as log:
        moved, table = [], []
        for step, seat, _, what in log.events(5, (0, STEPS)):
            (table if seat == TABLE else moved).append((step, seat, what))
    wanted = [row for row in rows(5) if 0 <= row[0] < STEPS]
    assert moved == [(step, seat, what) for step, seat, _, what in wanted if seat != TABLE]
    assert [(step, what.rewards, what.facts["stock"]) for step, _, what in table] == [
        (step, pytest.approx(what.rewards), what.facts["stock"]) for step, seat, _, what in wanted if seat == TABLE
    ]


@pytest.mark.parametrize("match", [1, 6])
def test_rounds_are_found_by_bisection(folder, match):
    with ranges.opened(folder) as log:
        standing = log.standing(match)
        assert [log.round_of(standing, step) for step in range(STEPS)] == [1, 1, 2, 2]
        assert log.steps_of(standing, (1, 1)) == (0, 1)
        assert log.steps_of(standing, (2, 2))[0] == 2


def test_who_follows_the_numbers_misses_nothing(tmp_path):
    seen, after = {}, 0
    with Log.create(tmp_path, STUDY) as log:
        log.arm(header())
        for match in range(1, MATCHES + 1):
            for row in rows(match):
                log.write(match, *row)
                if row[1] != TABLE:
                    continue
                log.flush()
                with ranges.opened(tmp_path) as part:
                    newest, spans = part.since(after)
                    assert newest > after
                    after = newest
                    for span in spans:
                        seen |= {(match, *event[:3]): event for event in part.events(span.first, (span.step, STEPS))}
    assert list(seen.values()) == [row for match in range(1, MATCHES + 1) for row in read.match(tmp_path, match)]


def test_numbers_outlive_the_writer(tmp_path):
    after = 0
    for match in (1, 2):
        with Log.create(tmp_path, STUDY) as log:
            log.arm(header())
            play_mixed(log, [match])
        with ranges.opened(tmp_path) as part:
            after, spans = part.since(after)
        assert spans == [Span(match, match, -1)]


def test_a_log_of_before_has_no_numbers_and_is_read_all_the_same(folder):
    connection = file.writable(folder)
    connection.execute("DROP TABLE tail")
    connection.close()
    with ranges.opened(folder) as log:
        assert log.since(0) == (0, [])
        assert log.standing(1).status == "finished"


ENDS = [(Failed("model", "it refused"), "failed"), (Paused("429"), "paused"), (None, "open")]


@pytest.mark.parametrize(("what", "status"), ENDS, ids=["failed", "paused", "open"])
def test_a_match_that_did_not_end(tmp_path, what, status):
    with Log.create(tmp_path, STUDY) as log:
        log.arm(header())
        for row in list(rows(1))[:5]:
            log.write(1, *row)
        if what:
            log.write(1, 1, 2, 3, what)
    with ranges.opened(tmp_path) as part:
        standing = part.standing(1)
        assert (standing.status, standing.steps, standing.over) == (status, 1, status == "failed")
        assert standing.status == read.read(tmp_path).matches["status"][0]
        assert part.standing(2) is None


def test_what_is_not_as_it_was_written_is_an_error(folder):
    connection = file.writable(folder)
    connection.execute("""UPDATE events SET body = '{"question":0,"move":0}' WHERE match = 1 AND step = 2 AND seat = 1""")
    connection.close()
    with ranges.opened(folder) as log, pytest.raises(LogError, match="match 1, step 2, seat 1"):
        log.events(1, (2, 2))
