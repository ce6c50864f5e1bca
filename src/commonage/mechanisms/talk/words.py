"""What talk says, by language. Facts, never advice."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """Templates of one language."""

    say: str
    nothing: str
    in_words: str
    signals: tuple[str, ...]  # where the table has the default ones
    next: str
    nobody: str
    seat: str
    when: dict[str, str]
    how: dict[str, str]  # by order
    times: str
    one_turn: str
    turns: str
    rules: str
    misheard: str
    you: str
    other: str
    spoke: str
    said: str
    heard: str
    your_floor: str
    floor: str
    gap: str


WORDS = {
    "en": Words(
        say="say",
        nothing="nothing",
        in_words="in words",
        signals=("I will cooperate", "I will not cooperate"),
        next="next",
        nobody="nobody",
        seat="seat {seat}",
        when={"before": "Before each round", "after": "After each round"},
        how={
            "together": "everybody may say one thing to all, at the same time{times}",
            "turn": "there are {turns}, one seat after another: each may say one thing to all. Who begins moves on by one seat each round",
            "floor": "there is a talk of at most {turns}: whoever has the floor may say one thing to all, then names the seat that speaks "
            "next, or nobody, which ends the talk. Who begins is drawn",
        },
        times=", {count} times",
        one_turn="one turn",
        turns="{count} turns",
        rules="{when} {how}. What is said binds nobody.",
        misheard=" With a probability of {per_cent:g} per cent a listener hears another of the fixed sentences than was said. "
        "What is said in one's own words is always heard right.",
        you="You",
        other="Seat {seat}",
        spoke="{who} spoke.",
        said='{who} said: "{sentence}".',
        heard='You heard seat {seat} say: "{sentence}".',
        your_floor="You have the floor.",
        floor="Seat {seat} has the floor.",
        gap=" ",
    ),
    "ja": Words(
        say="発言",
        nothing="何も言わない",
        in_words="言葉で",
        signals=("私は協力します", "私は協力しません"),
        next="次の発言者",
        nobody="誰も指名しない",
        seat="席{seat}",
        when={"before": "各回の前に、", "after": "各回の後に、"},
        how={
            "together": "全員が同時に、全員に向けて一つのことを言えます{times}",
            "turn": "席順に{turns}の発言の機会があります。各自が全員に向けて一つのことを言えます。最初の発言者は回ごとに一席ずつ移ります",
            "floor": "最大{turns}の話し合いがあります。発言権を持つ人は全員に向けて一つのことを言い、次に話す席を指名するか、"
            "誰も指名しないで話し合いを終えます。最初の発言者は抽選で決まります",
        },
        times="（{count}回）",
        one_turn="1回",
        turns="{count}回",
        rules="{when}{how}。発言に拘束力はありません。",
        misheard="{per_cent:g}パーセントの確率で、聞き手には決まった文のうち別の文が聞こえます。自分の言葉で言ったことは常に正しく聞こえます。",
        you="あなた",
        other="席{seat}",
        spoke="{who}が発言しました。",
        said="{who}：「{sentence}」。",
        heard="席{seat}がこう言うのが聞こえました：「{sentence}」。",
        your_floor="あなたに発言権があります。",
        floor="席{seat}に発言権があります。",
        gap="",
    ),
}
