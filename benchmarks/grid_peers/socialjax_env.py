"""SocialJax: an environment with random moves, a batch by vmap, as its own speed test does. usage: NAME BATCH"""

import json
import sys
import time

import jax
import jax.numpy as jnp
import socialjax

STEPS = 100
name, batch = sys.argv[1], int(sys.argv[2])
env = socialjax.make(name)


def act(key):
    actions = [env.action_space(agent).sample(sub) for agent, sub in enumerate(jax.random.split(key, env.num_agents))]
    return [jnp.asarray(action, jnp.int32) for action in actions]


def step(carry, _):
    state, key = carry
    key, first, second = jax.random.split(key, 3)
    actions = jax.vmap(act)(jax.random.split(first, batch))
    obs, state, reward, *_ = jax.vmap(env.step)(jax.random.split(second, batch), state, actions)
    return (state, key), obs.sum() + jnp.asarray(reward).sum()


@jax.jit
def run(state, key):
    return jax.lax.scan(step, (state, key), None, STEPS)


key = jax.random.PRNGKey(0)
_, state = jax.jit(jax.vmap(env.reset))(jax.random.split(key, batch))
(state, key), sums = jax.block_until_ready(run(state, key))
began = time.perf_counter()
(state, key), sums = jax.block_until_ready(run(state, key))
print(json.dumps({"steps_per_second": batch * STEPS / (time.perf_counter() - began), "checksum": float(sums.sum())}))
