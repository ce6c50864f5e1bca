"""From names to parts: ours, a user's own files, other people's packages; and that a listing imports nothing."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commonage import find, spec
from commonage.errors import ContractError, SpecError
from commonage.game import Legal, base
from commonage.games.commons import Commons
from commonage.policies.sustainer import Sustainer

HEAVY = ("jax", "polars", "scipy", "matplotlib", "aiohttp", "starlette", "numpy")
GAME = '''
"""A game of one's own: match the majority."""
import jax.numpy as jnp
from commonage.game import Game, Question, Turn, everyone
from commonage.part import static

class Mine(Game):
    seats: int = static(default=3)
    rounds: int = static(default=2)
    prize: float = 1.0

    @property
    def questions(self):
        return (Question("pick", ("left", "right")),)

    def start(self, key):
        return jnp.int32(0)

    def ask(self, state):
        return everyone(self)
'''
POLICY = """
from commonage.policy import Policy

class Lefty(Policy):
    aliases = ("southpaw",)
    hand: int = 0

    def act(self, key, memory, sight, legal):
        return legal.nearest(self.hand), memory
"""


def file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return str(path)


# by name


def test_by_name_and_by_alias() -> None:
    assert find.find("games", "commons") is Commons
    assert find.find("policies", "sustainer") is find.find("policies", "share") is Sustainer


@pytest.mark.parametrize("kind", find.FOLDERS)
def test_every_listed_part_is_found(kind: str) -> None:
    for name, entry in find.parts(kind).items():
        part = find.find(kind, name)
        assert part.__name__ == find.camel(name)
        assert entry.line
        assert all(find.find(kind, alias) is part for alias in entry.aliases)


def test_no_name_or_alias_is_taken_twice() -> None:
    for kinds in (("games",), ("mechanisms",), ("measures",), ("policies", "agents", "teams")):
        names = [name for kind in kinds for entry in find.parts(kind).values() for name in (entry.name, *entry.aliases)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("games", "comons", "no game 'comons'; did you mean 'commons'? All: commonage games"),
        ("mechanisms", "tolk", "no mechanism 'tolk'; did you mean 'talk'? All: commonage mechanisms"),
        ("policies", "grimm", "no agent 'grimm'; did you mean 'grim'? All: commonage agents"),
        ("measures", "equalty", "no measure 'equalty'; did you mean 'equality'? All: commonage measures"),
        ("games", "zzz", "no game 'zzz'. All: commonage games"),
    ],
)
def test_unknown_names(kind: str, name: str, says: str) -> None:
    with pytest.raises(SpecError, match=re.escape(says)):
        find.find(kind, name)


# by path


def test_the_only_class_of_a_file(tmp_path: Path) -> None:
    path = file(tmp_path, "majority.py", GAME)
    game = spec.game(f'"{path}"(seats=5)')
    assert type(game).__name__ == "Mine"
    assert game.seats == 5
    assert type(spec.game(f"{path}:Mine")).__name__ == "Mine"


def test_the_class_that_a_file_is_called_after(tmp_path: Path) -> None:
    path = file(tmp_path, "mine.py", GAME + "\nclass Other(Mine):\n    pass\n")
    assert find.find("games", path).__name__ == "Mine"
    assert find.find("games", f"{path}:Other").__name__ == "Other"


def test_a_file_with_a_game_and_a_policy(tmp_path: Path) -> None:
    path = file(tmp_path, "both.py", GAME + POLICY)
    assert find.find("games", path).__name__ == "Mine"
    assert find.find("policies", path).__name__ == "Lefty"


def test_a_file_with_several_games(tmp_path: Path) -> None:
    path = file(tmp_path, "several.py", GAME + "\nclass Other(Mine):\n    pass\n" + POLICY)
    with pytest.raises(
        SpecError, match=r"which of its games\? The file has Mine, Other\. Write .*several\.py:NAME, or call one class Several"
    ):
        find.find("games", path)
    assert find.find("policies", path).__name__ == "Lefty"


def test_another_kind(tmp_path: Path) -> None:
    path = file(tmp_path, "lefty.py", POLICY)
    with pytest.raises(SpecError, match=r"which of its games\? The file has none"):
        find.find("games", f"{path}:Lefty")


def test_a_class_that_the_file_only_imports_is_not_its_own(tmp_path: Path) -> None:
    path = file(tmp_path, "imports.py", "from commonage.games.commons import Commons\n")
    with pytest.raises(SpecError, match="The file has none"):
        find.find("games", f"{path}:Commons")


def test_two_files_of_one_name(tmp_path: Path) -> None:
    one, other = (file(tmp_path / name, "mine.py", GAME.replace("= 1.0", f"= {name}")) for name in ("1.0", "2.0"))
    assert [find.find("games", path)().prize for path in (one, other, one)] == [1.0, 2.0, 1.0]


def test_the_same_relative_path_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1.0", "2.0"):
        file(tmp_path / name, "mine.py", GAME.replace("= 1.0", f"= {name}"))
        monkeypatch.chdir(tmp_path / name)
        assert find.find("games", "mine.py")().prize == float(name)


def test_what_came_from_a_path_goes_by_it(tmp_path: Path) -> None:
    path = file(tmp_path, "my games/mine.py", GAME)
    text = spec.text(spec.game(f'"{path}"(prize=2)', ["punish"]).game)
    assert text == f'"{path}"(prize=2)'
    assert type(base(spec.game(text))).__name__ == "Mine"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import no_such_package", "does not import: ModuleNotFoundError: No module named 'no_such_package'"),
        ("class Broken(", "does not import: SyntaxError"),
        ("x = 1\n1 / 0", "does not import: ZeroDivisionError: division by zero ("),
        ("def f():\n    return 1 / 0\nf()", "broken.py:2)"),
        ("x = 3", "The file has none"),
    ],
)
def test_a_broken_file(tmp_path: Path, text: str, says: str) -> None:
    path = file(tmp_path, "broken.py", text)
    with pytest.raises(SpecError, match=re.escape(says)) as raised:
        find.find("games", path)
    assert "broken.py" in str(raised.value)


def test_no_file() -> None:
    with pytest.raises(SpecError, match=r"no file .*nowhere/mine\.py'; give the path of a Python file"):
        find.find("games", "nowhere/mine.py")


def test_a_file_beside_it_is_imported(tmp_path: Path) -> None:
    """Under its own name, also where another folder has one of this name; and it is the file's only while that loads."""
    for name in ("1.0", "2.0"):
        file(tmp_path / name, "helper.py", f"PRIZE = {name}\n")
        file(tmp_path / name, "mine.py", "import helper\n" + GAME.replace("= 1.0", "= helper.PRIZE"))
    before = list(sys.path)
    assert [find.find("games", str(tmp_path / name / "mine.py"))().prize for name in ("1.0", "2.0")] == [1.0, 2.0]
    assert sys.path == before
    assert "helper" not in sys.modules


def test_a_file_has_a_digest(tmp_path: Path) -> None:
    """Of its text and of what it imports from beside it: the same text anywhere, another one after any change."""

    def digest(folder: str, prize: str) -> str:
        file(tmp_path / folder, "helper.py", f"PRIZE = {prize}\n")
        path = file(tmp_path / folder, "mine.py", "import helper\n" + GAME)
        return find.digest(find.find("games", path)())

    assert digest("a", "1") == digest("b", "1") != digest("c", "2")
    assert len(digest("a", "1")) == 64
    assert find.digest(Commons()) == ""


def test_a_function_of_a_file_has_a_digest(tmp_path: Path) -> None:
    path = file(tmp_path, "agent.py", "def act(view):\n    return 0\n")
    assert find.digest(find.load(Path(path)).act) == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert find.digest(len) == ""


SLIPS = """
from commonage.policy import Policy

class Slip(Policy):
    def act(self, key, memory, sight, legal):
        return legal.nearst(0), memory
"""


def test_who_is_to_blame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, "slip.py", SLIPS)
    policy = find.find("policies", path)()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ContractError, match=r"^slip\.py:6: AttributeError: 'Legal' object has no attribute 'nearst'"), find.blame():
        policy.act(None, (), None, Legal(0, 1, np.ones(2, bool)))
    with pytest.raises(ZeroDivisionError), find.blame():
        1 / 0  # noqa: B018
    with pytest.raises(SpecError, match="mine"), find.blame():
        raise SpecError("mine")


# by entry point


def installed(folder: Path, points: dict[str, str], modules: dict[str, str]) -> None:
    """A package as pip leaves it: its modules, and a .dist-info with its entry points."""
    for name, text in modules.items():
        file(folder, name, text)
    rows = "".join(f"[commonage.{kind}]\n{lines}\n" for kind, lines in points.items())
    file(folder, "outsider-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: outsider\nVersion: 1.0\n")
    file(folder, "outsider-1.0.dist-info/entry_points.txt", rows)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    installed(
        tmp_path,
        {
            "games": "majority = outsider.games:Mine\nlost = outsider.lost:Lost\nodd = outsider.odd:Odd",
            "policies": "lefty = outsider.policies:Lefty",
        },
        {
            "outsider/__init__.py": "",
            "outsider/games.py": GAME,
            "outsider/policies.py": POLICY,
            "outsider/odd.py": "class Odd(:",
        },
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    find.parts.cache_clear()
    yield tmp_path
    find.parts.cache_clear()


def test_other_peoples_parts_come_through_the_same_door(package: Path) -> None:
    assert find.find("games", "majority").__name__ == "Mine"
    assert find.find("policies", "southpaw").__name__ == "Lefty"
    assert find.parts("games")["majority"].line == "A game of one's own: match the majority."
    assert find.parts("policies")["lefty"].line == "from outsider"
    assert spec.game("majority(seats=5)").seats == 5


@pytest.mark.parametrize(("name", "why"), [("lost", "ModuleNotFoundError"), ("odd", "SyntaxError")])
def test_a_broken_package_breaks_nothing_until_it_is_named(package: Path, name: str, why: str) -> None:
    assert {"commons", "majority", name} <= set(find.parts("games"))
    with pytest.raises(SpecError, match=f"'{name}' is registered as outsider.{name}:.*{why}"):
        find.find("games", name)


# a listing imports nothing


def run(*arguments: str, **more: Any) -> tuple[str, list[str]]:
    """What a command printed, and which heavy modules it imported."""
    code = f"import sys; from commonage.cli import main\ntry: main()\nfinally: print(*(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, **more)
    return done.stdout, done.stderr.split()


@pytest.mark.parametrize(
    "arguments", [("games",), ("mechanisms", "punish"), ("agents", "--json"), ("measures",), ("--help",), ("--version",)]
)
def test_a_listing_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    began = time.perf_counter()
    out, heavy = run(*arguments)
    assert out
    assert heavy == []
    assert time.perf_counter() - began < 3  # 0.3 s on a quiet machine: benchmarks/


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, commonage; dir(commonage); print(set({HEAVY}) & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_a_listing_shows_other_peoples_parts(package: Path) -> None:
    out, heavy = run("games", "--json", env={"PYTHONPATH": str(package)})
    assert {"majority", "commons"} <= {row["name"] for row in json.loads(out)}
    assert heavy == []


def test_every_public_name_loads() -> None:
    import commonage

    for name in commonage.__all__:
        assert getattr(commonage, name) is not None
    with pytest.raises(AttributeError, match="has no 'Stduy'"):
        commonage.Stduy  # noqa: B018
