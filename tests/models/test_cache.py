"""The cache: what was put is found again by whoever asks the same, after a kill, beside others; and what is said when it cannot be."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from commonage.errors import SpecError
from commonage.model import Reply
from commonage.models import cache
from commonage.models.cache import Cache

REPLY = Reply("I take\n5", tokens_in=100, tokens_out=9, tokens_cached=64, p=(0.25, 0.75), mass=0.99)


def test_a_reply_comes_back_as_it_was(tmp_path: Path) -> None:
    for number, reply in enumerate([REPLY, Reply("", refusal="no"), Reply("äß\u2028\0 \ud800", finish="length", counted=False)]):
        with Cache(tmp_path) as kept:
            kept.put(str(number), "m", reply)
        with Cache(tmp_path) as kept:
            found = kept.get(str(number))
        assert found is not None
        assert found._replace(mass=0) == reply._replace(mass=0)
        assert found.mass == reply.mass or (math.isnan(found.mass) and math.isnan(reply.mass))


def test_what_is_not_there(tmp_path: Path) -> None:
    with Cache(tmp_path) as kept:
        assert kept.get("nothing") is None


def test_two_share_a_cache(tmp_path: Path) -> None:
    with Cache(tmp_path) as one, Cache(tmp_path) as other:
        one.put("a", "m", REPLY)
        one.commit()
        assert other.get("a") == REPLY
        other.put("b", "m", REPLY)
        other.commit()
        assert one.get("b") == REPLY


def test_what_was_put_survives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from commonage.models.cache import Cache; from commonage.model import Reply; "
        "kept = Cache(sys.argv[1]); kept.put('a', 'm', Reply('paid for')); kept.commit(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == -9
    with Cache(tmp_path) as kept:
        found = kept.get("a")
    assert found is not None
    assert found.text == "paid for"


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "there"))
    with Cache() as kept:
        assert kept.path == tmp_path / "there" / "commonage" / "calls.sqlite"


def test_a_key_is_the_same_for_the_same_and_for_nothing_else() -> None:
    assert cache.key("m", {"a": 1, "b": [2]}) == cache.key("m", {"b": (2,), "a": 1})
    assert len({cache.key("m", 1), cache.key("m", 2), cache.key("m1", ""), cache.key(["m", 1]), cache.key("m", "1")}) == 5


def test_a_file_that_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "calls.sqlite").write_text("a diary, not a database; " * 100)
    with pytest.raises(SpecError, match=r"the cache .*calls\.sqlite' cannot be used: .*not a database.* --cache, or none with --no-cache"):
        Cache(tmp_path)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match=r"cannot be used: .*(exists|Not a directory).*--no-cache"):
        Cache(tmp_path / "file" / "in it")


def test_a_full_disk_is_a_warning(tmp_path: Path) -> None:
    with Cache(tmp_path) as kept:
        kept._file.execute("PRAGMA query_only = ON")
        with pytest.warns(UserWarning, match="cannot be written"):
            kept.put("a", "m", REPLY)
        assert kept.get("a") is None
