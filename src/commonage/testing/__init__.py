"""Checks for your own parts, the same that ours have to pass."""

from commonage.testing.checks import check, check_agent, check_game, check_mechanism, check_null, check_policy
from commonage.testing.kitchen import replay_kitchen
from commonage.testing.moves import moves

__all__ = ["check", "check_agent", "check_game", "check_mechanism", "check_null", "check_policy", "moves", "replay_kitchen"]
