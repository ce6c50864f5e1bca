"""Systems of papers by name: their variants, their seats, and what was published of them beside what we get."""

from __future__ import annotations

import pytest

from commonage import Study, preset
from commonage.errors import SpecError
from commonage.run.result import Result

MINE = """
about = "a lake"
source = "us"

[base]
game = "commons(rounds=2)"

[[seats]]
name = "sharers"
seats = "sustainer*5"

[variant.pasture]
about = "sheep"
game = "commons(rounds=2,skin=pasture)"

[variant.quiz]
game = "subskill"
each = true

[[published]]
who = "somebody"
source = "a paper"
n = 3
survival_rate = 0.25
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return str(path)


@pytest.mark.parametrize("name", preset.known())
def test_every_variant_of_ours_is_played_with_its_own_seats(name: str) -> None:
    ready = preset.load(name)
    rows = ready.rows([preset.ALL])
    assert {row["preset"] for row in rows} == {f"{name}/{variant}" for variant in ready.variants}
    built = Study.preset(name, [preset.ALL]).built
    assert len(built) == len(rows)
    assert len({arm.name for arm in built}) == len(built)
    assert all(ready.variants.values()), "every variant says what it is about"


def test_arms_of_variants_and_seats(mine: str) -> None:
    arms = Study.preset(mine, ["base", "pasture"], "greedy*5").built
    assert [(arm.name, arm.spec["game"]) for arm in arms] == [
        ("base: greedy*5", "commons(rounds=2)"),
        ("pasture: greedy*5", "commons(rounds=2,skin=pasture)"),
    ]
    assert [arm.name for arm in Study.preset(mine).built] == ["sharers"]


def test_a_seat_list_is_named_and_saved_in_one_way(mine: str) -> None:
    """However it was typed: so what is edited in a saved file is not called by what was there."""
    study = Study.preset(mine, ["base", "pasture"], "greedy, greedy,greedy*3")
    assert [arm.name for arm in study.built] == ["base: greedy*5", "pasture: greedy*5"]
    assert 'name = "pasture"' in study.toml()
    assert "greedy" not in Study.preset(mine, seats="greedy,greedy*4").toml().replace('seats = "greedy*5"', "")


def test_a_variant_for_each_player_of_the_list(mine: str) -> None:
    arms = Study.preset(mine, ["quiz"], "solver*2,random").built
    assert [arm.spec["seats"] for arm in arms] == ["solver", "random"]


def test_mechanisms_and_parameters_on_top(mine: str) -> None:
    arms = Study.preset(mine, ["base"], mechanisms=["punish"], sets={"capacity": 60}).built
    assert arms[0].spec["with"] == ["punish"]
    assert arms[0].spec["game"] == "commons(rounds=2,capacity=60)"


def test_published_numbers_stand_beside_ours_and_are_never_mixed_with_them(mine: str, tmp_path) -> None:
    study = Study.preset(mine, repeats=2)
    result = study.run(tmp_path / "log")
    assert result.summary()["arms"][0]["measures"]["survival_rate"]["mean"] == 1
    assert result.summary()["arms"][0]["published"][0]["survival_rate"] == 0.25
    page = result.report().read_text()
    assert "somebody" in page
    assert "Published" in page
    assert 0.25 not in result.table()["mean"].to_list()
    saved = tmp_path / "saved.toml"
    study.save(saved)
    again = Study.load(saved)
    assert again.built[0].preset == f"{mine}/base"
    assert again.run(tmp_path / "log").summary() == Result(tmp_path / "log").summary()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINE.replace('source = "us"\n', ""), "it needs about, source and"),
        (MINE.replace('game = "commons(rounds=2)"\n', ""), r"\[base\] needs a game"),
        (MINE.replace('who = "somebody"', 'who = "somebody"\nvariant = "no"'), "of a variant that there is not"),
        (MINE + "\n[other]\n", "unknown other: it may have"),
        (MINE.replace("[base]", "[base"), "mine.toml"),
    ],
)
def test_a_preset_that_is_wrong(text: str, says: str, tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(SpecError, match=says):
        preset.load(str(path))


def test_a_variant_or_preset_that_is_not_there(mine: str) -> None:
    with pytest.raises(SpecError, match="no preset 'govsin'; did you mean 'govsim'"):
        Study.preset("govsin")
    with pytest.raises(SpecError, match="has no variant 'meadow': It has base, pasture, quiz, all"):
        Study.preset(mine, ["meadow"])
