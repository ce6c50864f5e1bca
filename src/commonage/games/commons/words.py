"""What the commons says, by language and skin: one set of rules in other words. Facts, never advice."""

from __future__ import annotations

from typing import NamedTuple


class Skin(NamedTuple):
    """One set of rules in other words."""

    place: str
    unit: str
    verb: str
    story: str  # before `Words.doubles`


class Words(NamedTuple):
    """Templates of one language."""

    question: str
    skins: dict[str, Skin]
    rules: str
    told: str
    doubles: str
    multiplies: str
    comes: str
    month: str
    mine: str
    other: str
    others: str
    between: str  # two of the others
    gap: str  # between two sentences
    joined: str


WORDS = {
    "en": Words(
        question="harvest",
        skins={
            "fishery": Skin("lake", "tons of fish", "catch", "What they leave in the lake doubles"),
            "pasture": Skin("pasture", "hectares of grass", "graze", "Each sheep eats one hectare. What is left doubles"),
            "pollution": Skin(
                "river", "per cent of clean water", "use", "Each pallet of widgets uses one per cent. What stays clean doubles"
            ),
        },
        rules="{seats} people share a {place} that holds at most {capacity} {unit}. Every month, for {rounds} months, each decides in "
        "private and at the same time how much to {verb}.{told} {grows} before the next month, up to {capacity}. If fewer than "
        "{collapse} remain after a month's harvest, the {place} is lost and all ends.{comes}",
        told=" Then everybody learns what each one took.",
        doubles="{story}",
        multiplies="What is left multiplies by {growth}",
        comes=" You join in month {month}; the others are there from the start.",
        month="Month {month}. The {place} holds {stock} {unit}.",
        mine="Last month you took {caught}.",
        other="seat {seat} took {caught}",
        others="The others: {list}.",
        between=", ",
        gap=" ",
        joined="{seats} people share it now.",
    ),
    "ja": Words(
        question="収穫",
        skins={
            "fishery": Skin("湖", "トンの魚", "獲る", "湖に残された魚は2倍に増えます"),
            "pasture": Skin("牧草地", "ヘクタールの草", "食べさせる", "羊は1頭で1ヘクタールを食べます。残った草は2倍に増えます"),
            "pollution": Skin(
                "川", "パーセントのきれいな水", "使う", "製品1パレットにつき1パーセントを使います。きれいなままの水は2倍に増えます"
            ),
        },
        rules="{seats}人が一つの{place}を共有しています。{place}には最大{capacity}{unit}があります。{rounds}か月の間、毎月、各自が"
        "いくら{verb}かを、他の人に知られずに同時に決めます。{told}{grows}（次の月までに、上限{capacity}まで）。ある月の収穫の後に残りが"
        "{collapse}未満になると、{place}は失われ、すべてが終わります。{comes}",
        told="その後、各自がいくら取ったかを全員が知ります。",
        doubles="{story}",
        multiplies="残ったものは{growth}倍に増えます",
        comes="あなたは{month}か月目に加わります。他の人は最初からいます。",
        month="{month}か月目。{place}には{stock}{unit}があります。",
        mine="先月、あなたは{caught}を取りました。",
        other="席{seat}は{caught}",
        others="他の人が先月取った量：{list}。",
        between="、",
        gap="",
        joined="今は{seats}人で共有しています。",
    ),
}
SKINS = WORDS["en"].skins
