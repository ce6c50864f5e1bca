"""The network: a small Llama, and how it learns. PyTorch: the same seed gives the same weights on one machine."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from . import words
from .text import Lesson

WIDTH, LAYERS, HEADS, INNER = 192, 4, 3, 512
THETA, EPSILON = 10_000.0, 1e-5
BATCH, EPOCHS = 3072, 2  # tokens of a step, times that each sample is learned from
DECIDED = 3.0  # weight of the first token of a last line; 1 = of other tokens that the model says. What others say is not learned
RATE_HIDDEN, RATE_REST, WARM, COOL = 0.01, 0.002, 0.01, 0.7  # learning rates; share of the steps in which they rise, fall
QUERIES = 256  # of one product in the attention
THREADS = 2  # twice as fast as one; another number gives other last digits, and so other weights


class Sample(NamedTuple):
    """A lesson in tokens; `goals`: by place, the (token, weight) of each that may come behind it."""

    tokens: list[int]
    goals: dict[int, list[tuple[int, float]]]


def samples(tokenizer: Tokenizer, lessons: Sequence[Lesson]) -> list[Sample]:
    """Lessons in tokens. Of a message that is learned each token is a goal; where last lines part, all that may come, by probability."""
    read = functools.cache(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
    out = []
    for lesson in lessons:
        tokens, goals = list[int](), dict[int, list[tuple[int, float]]]()
        for place, message in enumerate(lesson.messages):
            tokens.append(words.SPECIAL.index(f"<|{message.role}|>"))
            if place in lesson.lines:
                reason = message.text[: message.text.rfind("\n") + 1]
                thought, said = read(reason), [*read(message.text[len(reason) :]), words.END]
                lines = [([*read(line), words.END], p) for line, p in lesson.lines[place].items()]
                goals |= {len(tokens) - 1 + i: [(token, 1.0)] for i, token in enumerate(thought)}
                goals |= {len(tokens) - 1 + len(thought) + i: _next(lines, said[:i]) for i in range(len(said))}
            tokens += [*read(message.text), words.END]
        out.append(Sample(tokens, goals))
    return out


def _next(lines: list[tuple[list[int], float]], begun: list[int]) -> list[tuple[int, float]]:
    """(token, weight) of what may follow in a line that has begun like this."""
    p = dict[int, float]()
    for line, share in lines:
        if line[: len(begun)] == begun:
            p[line[len(begun)]] = p.get(line[len(begun)], 0.0) + share
    weight = (1.0 if begun else DECIDED) / sum(p.values())
    return [(token, weight * share) for token, share in p.items()]


class Block(nn.Module):
    """Attention and a gated layer, each behind a norm."""

    def __init__(self) -> None:
        super().__init__()
        line = lambda inward, outward: nn.Linear(inward, outward, bias=False)
        self.attn_norm, self.ffn_norm = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.ones(WIDTH))
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (line(WIDTH, WIDTH) for _ in range(4))
        self.ffn_gate, self.ffn_up, self.ffn_down = line(WIDTH, INNER), line(WIDTH, INNER), line(INNER, WIDTH)

    def forward(self, x: Tensor, turn: Tensor, mask: Tensor, places: Tensor | None = None) -> Tensor:
        """All places see those before them; with `places`, int64[rows, queries], only these are asked for and returned."""
        y = F.rms_norm(x, (WIDTH,), self.attn_norm, EPSILON)
        k, v = _turned(_heads(self.attn_k(y)), turn), _heads(self.attn_v(y))
        if places is not None:
            rows = torch.arange(len(x)).unsqueeze(1)
            x, y, turn, mask = x[rows, places], y[rows, places], turn[:, places].unsqueeze(2), mask[places].repeat_interleave(HEADS, 0)
        x = x + self.attn_output(_attention(_turned(_heads(self.attn_q(y)), turn), k, v, mask).transpose(1, 2).flatten(2))
        y = F.rms_norm(x, (WIDTH,), self.ffn_norm, EPSILON)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))


def _heads(x: Tensor) -> Tensor:
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


def _attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Some queries at a time, each with the keys up to the last of them: on one thread faster than the fused one."""
    out, causal = list[Tensor](), mask.dim() == 2
    shape, (q, k, v) = q.shape[:2], (part.flatten(0, 1) for part in (q, k, v))
    for start in range(0, q.shape[1], QUERIES):
        end = min(start + QUERIES, q.shape[1])
        seen = end if causal else k.shape[1]
        scores = torch.baddbmm(mask[..., start:end, :seen], q[:, start:end], k[:, :seen].transpose(1, 2), alpha=q.shape[-1] ** -0.5)
        out.append(scores.softmax(-1).to(v.dtype) @ v[:, :seen])
    return torch.cat(out, 1).unflatten(0, shape)


class Llama(nn.Module):
    """Tokens to logits; the embedding is used in both directions."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.token_embd = nn.Embedding(vocabulary, WIDTH)
        self.blk = nn.ModuleList(Block() for _ in range(LAYERS))
        self.output_norm = nn.Parameter(torch.ones(WIDTH))
        for name, weights in self.named_parameters():
            if name.endswith(("output.weight", "down.weight")):  # a block does nothing at first
                nn.init.zeros_(weights)
            elif weights.dim() == 2:
                nn.init.normal_(weights, std=0.02 if name == "token_embd.weight" else WIDTH**-0.5)

    def forward(self, tokens: Tensor, places: Tensor) -> Tensor:
        """float[rows, queries, vocabulary]: logits behind the tokens at these places of each row; the last block is spared the others."""
        length = tokens.shape[1]
        x, turn = self.token_embd(tokens), _angles(length)
        mask = torch.full((length, length), -torch.inf, dtype=torch.bfloat16).triu(1)
        for block in self.blk:
            x = block(x, turn, mask, places if block is self.blk[-1] else None)
        return F.linear(F.rms_norm(x, (WIDTH,), self.output_norm, EPSILON), self.token_embd.weight)


def _angles(length: int) -> Tensor:
    """bfloat16[2, length, half a head]: cosine and sine of the angle by which each pair of numbers is turned at each place."""
    size = WIDTH // HEADS
    rates = THETA ** -(torch.arange(0, size, 2) / size)
    angles = torch.outer(torch.arange(length).float(), rates)
    return torch.stack((angles.cos(), angles.sin())).bfloat16()


def _turned(x: Tensor, turn: Tensor) -> Tensor:
    """Rotary positions on pairs, one number from each half of a head: `export` brings them side by side, as llama.cpp has them."""
    (a, b), (cos, sin) = x.chunk(2, -1), turn
    return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)


def learn(data: list[Sample], vocabulary: int, seed: int) -> Llama:
    """`EPOCHS` times through all samples."""
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    torch.set_flush_denormal(True)
    network = Llama(vocabulary)
    hidden = [weights for weights in network.blk.parameters() if weights.dim() == 2]
    rest = [weights for weights in network.parameters() if all(weights is not other for other in hidden)]
    optimizers = [
        torch.optim.Muon(hidden, lr=RATE_HIDDEN, weight_decay=0.01),
        torch.optim.AdamW(rest, lr=RATE_REST, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    draw = random.Random(seed)
    batches = [batch for _ in range(EPOCHS) for batch in _batches(data, draw)]
    plans = [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / len(batches))) for optimizer in optimizers]
    began, losses = time.monotonic(), list[float]()
    for step, batch in enumerate(batches):
        loss = _loss(network, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for part in (*optimizers, *plans):
            part.step()
        network.zero_grad()
        losses.append(loss.item())
        if step % 50 == 49 or step == len(batches) - 1:
            spent = time.monotonic() - began
            print(f"step {step + 1}/{len(batches)}  loss {sum(losses[-50:]) / len(losses[-50:]):.4f}  {spent:.0f} s", flush=True)
    return network


def _rate(done: float) -> float:
    """The learning rate, as a share of the most."""
    return min(1.0, (done + 1e-3) / WARM, (1 - done) / COOL)


def _batches(data: list[Sample], draw: random.Random) -> list[list[Sample]]:
    """Samples of about one length together, in random order."""
    data = draw.sample(data, len(data))
    batches = list[list[Sample]]()
    for start in range(0, len(data), 256):
        batch = list[Sample]()
        for sample in sorted(data[start : start + 256], key=lambda sample: len(sample.tokens)):
            if batch and len(sample.tokens) * (len(batch) + 1) > BATCH:
                batches.append(batch)
                batch = []
            batch.append(sample)
        batches.append(batch)
    return draw.sample(batches, len(batches))


def _loss(network: Llama, batch: list[Sample]) -> Tensor:
    """Cross-entropy of what the model says, and of the labels' probabilities."""
    length, queries = max(len(sample.tokens) for sample in batch), max(len(sample.goals) for sample in batch)
    tokens = torch.full((len(batch), length), words.END)
    places = torch.zeros(len(batch), queries, dtype=torch.long)
    goals = torch.zeros(len(batch), queries, network.token_embd.num_embeddings)
    for row, sample in enumerate(batch):
        tokens[row, : len(sample.tokens)] = torch.tensor(sample.tokens)
        places[row, : len(sample.goals)] = torch.tensor(list(sample.goals))
        for query, chances in enumerate(sample.goals.values()):
            for token, weight in chances:
                goals[row, query, token] = weight
    with torch.autocast("cpu", torch.bfloat16):  # a third faster
        logits = network(tokens, places)
    return -(goals * logits.float().log_softmax(-1)).sum() / goals.sum()
