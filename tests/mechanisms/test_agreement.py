"""The agreed limit, played out."""

import pytest
from towers import Fines, Limits, Plays, asked, asks, play, turns, unchanged

from commonage import Study
from commonage.errors import Unfit
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.mechanisms.agreement import Agreement
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk
from commonage.policies.limit_writer import LimitWriter
from commonage.policies.random import Random
from commonage.policies.sustainer import Sustainer

NONE = 100


def agreed(*wrote: int) -> int:
    """What comes out when five have harvested nothing and write these limits down."""
    game = Agreement(Commons())
    _, turn = turns(game, [0] * 5, list(wrote))
    return int(turn.state.own.limit)


@pytest.mark.parametrize(
    ("wrote", "limit"),
    [
        ((10, 10, 10, 10, 10), 10),
        ((10, 10, 10, 7, NONE), 10),  # more than half
        ((10, 10, 7, 7, NONE), -1),  # nothing has more than half
        ((NONE, NONE, NONE, 10, 10), -1),  # more than half say that there is none
        ((0, 0, 0, 10, 10), 0),  # to harvest nothing is a limit
        ((10, 10, -1, -1, 7), 10),  # two seats have retired: two of three
        ((-1, -1, -1, -1, -1), -1),
    ],
)
def test_what_more_than_half_wrote_is_agreed(wrote: tuple[int, ...], limit: int) -> None:
    assert agreed(*wrote) == limit


def test_a_month_is_harvest_talk_limit() -> None:
    tower = Agreement(Talk(Commons(rounds=3), when="after"))
    player = (Plays((5,)), Limits((10,)))
    assert asked(tower, play(tower, *[player] * 5)) == ["harvest", "say", "agreed limit"] * 2 + ["harvest"]


def test_a_limit_holds_until_the_next_is_written_and_is_told() -> None:
    tower = Agreement(Commons())
    first, wrote, harvest, other = turns(tower, [0] * 5, [10] * 5, [12] * 5, [NONE] * 5)
    told = [tower.tell(turn.state, 0).splitlines()[-1] for turn in (first, wrote, harvest, other)]
    limit = "The agreed limit is 10 tons of fish per person."
    assert told == ["No limit is agreed on.", limit, limit, "No limit is agreed on."]
    assert asks(tower, first.state) == [1] * 5
    assert tower.adds(0).startswith("After each round everybody writes down the limit of tons of fish per person")


def test_in_japanese() -> None:
    tower = Agreement(Talk(Commons(language="ja"), when="after"))
    _, _, wrote = turns(tower, [0] * 5, [0] * 5, [10] * 5)
    assert "合意した上限は一人10トンの魚です。" in tower.tell(wrote.state, 0)
    assert [question.name for question in tower.questions] == ["収穫", "発言", "合意した上限"]
    assert tower.questions[1].options[:2] == ("何も言わない", "言葉で")


def test_nobody_writes_it_changes_nothing() -> None:
    game = Commons(seats=3, rounds=4)
    unchanged(game, Agreement(game), Random(), Random(), Sustainer())


def test_fines_come_before_or_after_it() -> None:
    player = (Plays((5,)), Limits((10,)), Fines((0,)))
    for tower, order in (
        (Punish(Agreement(Commons(rounds=2))), ["harvest", "agreed limit", "fine whom", "harvest", "fine whom"]),
        (Agreement(Punish(Commons(rounds=2))), ["harvest", "fine whom", "agreed limit", "harvest", "fine whom"]),
    ):
        assert asked(tower, play(tower, *[player] * 5)) == order


def test_a_limit_writer_writes_the_share_of_the_stock() -> None:
    tower = Agreement(Commons())
    steps = play(tower, *[(Plays((0, 20, 0)), LimitWriter())] * 5)
    assert steps.facts["agreement.limit"][steps.live].tolist() == [-1, 10, 10]  # all take 20 of 100, and that is the end
    low = play(tower, *[(Plays((12, 0)), LimitWriter())] * 5)
    assert low.facts["agreement.limit"][:4, 0].tolist() == [-1, 8, 8, 10]  # 80 tons: 40 may go, 8 each; then 100


def test_it_goes_around_amounts_only() -> None:
    with pytest.raises(Unfit, match="agreement goes around a game that asks for an amount; dilemma asks for cooperate or defect"):
        Agreement(Dilemma())


def test_compliance_counts_harvests_within_the_limit(tmp_path) -> None:
    """Month 1: no limit. Months 2 and 3: 10. Seat 1 takes 10, 10; seats 2 to 4 take 5, 5; seat 5 takes 11, 10: one of ten breaks it."""
    seats = [(Plays((0, 10, 10)), Limits((10,))), *[(Plays((0, 5, 5)), Limits((10,)))] * 3, (Plays((0, 11, 10)), Limits((10,)))]
    result = Study(Commons(rounds=3), seats, ["agreement"], repeats=1).run(tmp_path / "log")
    assert result.summary()["arms"][0]["measures"]["compliance"]["mean"] == pytest.approx(0.9)


def test_compliance_is_undefined_without_a_limit(tmp_path) -> None:
    result = Study("commons(rounds=2)", "sustainer*5", ["agreement"], repeats=2)
    with pytest.warns(UserWarning, match="agreement is on, but no seat uses it"):
        cell = result.run(tmp_path / "log").summary()["arms"][0]["measures"]["compliance"]
    assert cell["mean"] is None
