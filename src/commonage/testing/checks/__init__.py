"""Does a part keep its contract? For ours and other people's: ContractError names the part, what was found, and the clause.

A check plays matches of random moves and looks at what it reached. What it refuses is broken; what it passes may
still be wrong where it did not look.
"""

from commonage.testing.checks.agent import check_agent
from commonage.testing.checks.game import check_game
from commonage.testing.checks.mechanism import check_mechanism, check_null
from commonage.testing.checks.policy import check_policy
from commonage.testing.checks.text import check

__all__ = ["check", "check_agent", "check_game", "check_mechanism", "check_null", "check_policy"]
