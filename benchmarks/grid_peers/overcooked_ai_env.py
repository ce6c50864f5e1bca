"""overcooked_ai: single steps of its rules with random moves, no observations. usage: LAYOUT 1"""

import json
import random
import sys
import time

from overcooked_ai_py.mdp.actions import Action
from overcooked_ai_py.mdp.overcooked_mdp import OvercookedGridworld

STEPS = 2_000
mdp = OvercookedGridworld.from_layout_name(sys.argv[1])
rng, best, total = random.Random(0), 0.0, 0
moves = [[Action.INDEX_TO_ACTION[rng.randrange(6)] for _ in range(2)] for _ in range(STEPS)]
for _ in range(3):
    state, began = mdp.get_standard_start_state(), time.perf_counter()
    for chosen in moves:
        state, infos = mdp.get_state_transition(state, chosen)
        total += sum(infos["shaped_reward_by_agent"])
    best = max(best, STEPS / (time.perf_counter() - began))
print(json.dumps({"steps_per_second": best, "checksum": total}))
