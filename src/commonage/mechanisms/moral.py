"""A moral point of view, told to everybody with what they see (Piatti et al. 2024; moral framings after its reproductions).

The only part that gives advice, since that is what is studied: `universalization` says what happens if everybody takes more
than the equal share of what is sustainable, with the number; all others have no number in them. It adds no question.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from commonage.errors import Unfit
from commonage.game import State, at_start, base
from commonage.mechanism import Mechanism
from commonage.part import static

WORDS = {
    "en": {
        "universalization": "If everybody takes more than {share} {unit} now, there will be less next time.",
        "universalization_advice": "Before you decide, ask yourself what happens if everybody does as you do.",
        "consequentialism": "Before you decide, weigh what will follow from it for everybody, now and later: an act is right if what "
        "follows from it is good.",
        "deontology": "Before you decide, ask whether you could want your rule to be a law for everybody: do your duty, whatever "
        "it brings.",
        "virtue": "Before you decide, ask what an honest, moderate and just person would do in your place.",
        "utilitarianism": "Before you decide, add up the well-being of all: the best act is the one that brings the greatest sum.",
        "maximin": "Before you decide, look at whoever will be worst off: the best act is the one that leaves that person as well off "
        "as possible.",
        "expert": "Experts on shared resources advise: take no more than your equal share of what grows back, agree on that limit, and "
        "speak to those who exceed it.",
    },
    "ja": {
        "universalization": "今、全員が{share}{unit}より多く取れば、次は少なくなります。",
        "universalization_advice": "決める前に、全員があなたと同じことをしたらどうなるかを考えてください。",
        "consequentialism": "決める前に、今と将来、全員に何が起こるかを考えてください。良い結果をもたらす行為が正しい行為です。",
        "deontology": "決める前に、自分の規則がすべての人の法となることを望めるかを考えてください。結果にかかわらず義務を"
        "果たしてください。",
        "virtue": "決める前に、正直で節度があり公正な人なら、あなたの立場で何をするかを考えてください。",
        "utilitarianism": "決める前に、全員の幸福を足し合わせてください。合計が最大になる行為が最善です。",
        "maximin": "決める前に、最も不利になる人のことを考えてください。その人ができるだけ良い状態になる行為が最善です。",
        "expert": "共有資源の専門家の助言：再び増える量の平等な分け前より多く取らず、その上限に合意し、超えた人には話をしてください。",
    },
}
NUMBERED = "{share}"


class Moral(Mechanism):
    """`framing`: universalization, universalization_advice, consequentialism, deontology, virtue, utilitarianism, maximin, expert.

    universalization wants a game whose sight has `share`, the number, as the commons has. `text`: your own words.
    """

    game: Any
    framing: str = static(default="universalization_advice")
    text: str = static(default="")  # instead of a framing's

    languages = tuple(WORDS)

    def check(self) -> None:
        self.require(self.framing in WORDS["en"], "framing", "one of " + ", ".join(WORDS["en"]))
        inner = base(self.game)
        if self._numbered and "share" not in at_start(inner, inner.look)._fields:
            raise Unfit(f"moral(framing={self.framing}) tells of the sustainable share, which {inner.name} has not: take another framing")

    @property
    def says(self) -> str:
        """The text, with a place for the number."""
        return self.text or WORDS.get(self.language, WORDS["en"])[self.framing]

    @property
    def _numbered(self) -> bool:
        return not self.text and NUMBERED in self.says

    def reports(self, state: State, seat: int) -> str:
        if not self._numbered:
            return self.says
        sight = self.sights(state)[base(self.game).label]
        return self.says.format(share=int(np.asarray(sight.share)[seat]), unit=base(self.game).questions[0].unit)
