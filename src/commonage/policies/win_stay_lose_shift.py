"""Win-stay, lose-shift: repeats its move unless the other defected (Nowak & Sigmund 1993)."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy, move


class WinStayLoseShift(Policy):
    """A defection by the other is the loss; so it cooperates just when both did the same. Begins with cooperation."""

    game = "dilemma"
    aliases = ("pavlov",)  # Kraines & Kraines 1989

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return move(sight.mine == sight.other), memory
