"""Changes its move whenever the other defects; begins with cooperation (J. Müller, in the Axelrod library)."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, move


class Appeaser(Policy):
    """Move for move the same as `win_stay_lose_shift`, though told as another story."""

    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        last, displeased = sight.mine != DEFECT, sight.other == DEFECT
        return move(last != displeased), memory
