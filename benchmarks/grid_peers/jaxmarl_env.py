"""JaxMARL: an environment with random moves, a batch by vmap, as its own speed test does. usage: NAME BATCH"""

import json
import sys
import time

import jax
import jaxmarl

STEPS = 1_000
name, batch = sys.argv[1], int(sys.argv[2])
env = jaxmarl.make(name)


def step(carry, _):
    state, key = carry
    key, first, second = jax.random.split(key, 3)
    act = lambda key: {a: env.action_space(a).sample(sub) for a, sub in zip(env.agents, jax.random.split(key, env.num_agents), strict=True)}
    actions = jax.vmap(act)(jax.random.split(first, batch))
    obs, state, reward, *_ = jax.vmap(env.step)(jax.random.split(second, batch), state, actions)
    return (state, key), sum(leaf.sum() for leaf in jax.tree.leaves((obs, reward)))


@jax.jit
def run(state, key):
    return jax.lax.scan(step, (state, key), None, STEPS)


key = jax.random.PRNGKey(0)
_, state = jax.jit(jax.vmap(env.reset))(jax.random.split(key, batch))
(state, key), sums = jax.block_until_ready(run(state, key))
began = time.perf_counter()
(state, key), sums = jax.block_until_ready(run(state, key))
print(json.dumps({"steps_per_second": batch * STEPS / (time.perf_counter() - began), "checksum": float(sums.sum())}))
