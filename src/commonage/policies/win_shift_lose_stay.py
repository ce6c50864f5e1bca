"""Win-shift, lose-stay, the reverse of Pavlov; begins with a defection (Li, Hingston & Kendall 2011)."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy, move


class WinShiftLoseStay(Policy):
    """Cooperates just when the two did not do the same."""

    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return move(sight.mine != sight.other), memory
