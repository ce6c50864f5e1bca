"""The network: a small Llama, and how it learns. PyTorch, one thread: the same seed gives the same weights on one machine."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from . import words
from .text import Lesson

WIDTH, LAYERS, HEADS, INNER = 160, 4, 5, 448
THETA, EPSILON = 10_000.0, 1e-5
BATCH = 2048  # tokens
PROMPT, LABEL = 0.05, 4.0  # weight of a token that others say, of a label; 1 = a token that the model says
RATE_HIDDEN, RATE_REST, WARM, COOL = 0.006, 0.0012, 0.01, 0.7  # learning rates; share of the steps in which they rise, fall


class Sample(NamedTuple):
    """A lesson in tokens; `labels`: by place, the (token, probability) of each that may come behind it."""

    tokens: list[int]
    said: list[bool]
    labels: dict[int, list[tuple[int, float]]]


def samples(tokenizer: Tokenizer, lessons: Sequence[Lesson]) -> list[Sample]:
    """Lessons in tokens."""
    out = []
    for lesson in lessons:
        tokens, said, labels = list[int](), list[bool](), dict[int, list[tuple[int, float]]]()
        for place, message in enumerate(lesson.messages):
            if place in lesson.labels:
                labels[len(tokens)] = [(tokenizer.token_to_id(label), p) for label, p in lesson.labels[place].items()]
            ids = words.tokens(tokenizer, message)
            own = [message.role == "assistant"] * (len(ids) - 1)
            if place in lesson.labels:
                own[0] = False  # the label: learned by its probability
            tokens, said = tokens + ids, [*said, False, *own]
        out.append(Sample(tokens, said, labels))
    return out


class Block(nn.Module):
    """Attention and a gated layer, each behind a norm."""

    def __init__(self) -> None:
        super().__init__()
        line = lambda inward, outward: nn.Linear(inward, outward, bias=False)
        self.attn_norm, self.ffn_norm = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.ones(WIDTH))
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (line(WIDTH, WIDTH) for _ in range(4))
        self.ffn_gate, self.ffn_up, self.ffn_down = line(WIDTH, INNER), line(WIDTH, INNER), line(INNER, WIDTH)

    def forward(self, x: Tensor, turn: Tensor) -> Tensor:
        y = F.rms_norm(x, (WIDTH,), self.attn_norm, EPSILON)
        q, k, v = (part(y).unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (self.attn_q, self.attn_k, self.attn_v))
        seen = F.scaled_dot_product_attention(_turned(q, turn), _turned(k, turn), v, is_causal=True)
        x = x + self.attn_output(seen.transpose(1, 2).flatten(2))
        y = F.rms_norm(x, (WIDTH,), self.ffn_norm, EPSILON)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))


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

    def forward(self, tokens: Tensor) -> Tensor:
        x, turn = self.token_embd(tokens), _angles(tokens.shape[1])
        for block in self.blk:
            x = block(x, turn)
        return F.linear(F.rms_norm(x, (WIDTH,), self.output_norm, EPSILON), self.token_embd.weight)


def _angles(length: int) -> Tensor:
    """complex64[length, half a head]: by how much each pair of numbers is turned at each place."""
    size = WIDTH // HEADS
    rates = THETA ** -(torch.arange(0, size, 2) / size)
    return torch.polar(torch.ones(length, size // 2), torch.outer(torch.arange(length).float(), rates))


def _turned(x: Tensor, turn: Tensor) -> Tensor:
    """Rotary positions on neighbouring pairs, as llama.cpp has them: so no rows need to be permuted for it."""
    return torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * turn).flatten(-2)


def learn(data: list[Sample], vocabulary: int, seed: int) -> Llama:
    """Once through all samples."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network = Llama(vocabulary)
    hidden = [weights for weights in network.blk.parameters() if weights.dim() == 2]
    rest = [weights for weights in network.parameters() if all(weights is not other for other in hidden)]
    optimizers = [
        torch.optim.Muon(hidden, lr=RATE_HIDDEN, weight_decay=0.01),
        torch.optim.AdamW(rest, lr=RATE_REST, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    batches = list(_batches(data, random.Random(seed)))
    plans = [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / len(batches))) for optimizer in optimizers]
    began, seen = time.monotonic(), 0
    for step, batch in enumerate(batches):
        loss = _loss(network, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for part in (*optimizers, *plans):
            part.step()
        network.zero_grad()
        seen += sum(len(sample.tokens) for sample in batch)
        if step % 20 == 0 or step == len(batches) - 1:
            spent = time.monotonic() - began
            print(f"step {step + 1}/{len(batches)}  loss {loss.item():.3f}  {seen} tokens  {spent:.0f} s", flush=True)
    return network


def _rate(done: float) -> float:
    """The learning rate, as a share of the most."""
    return min(1.0, (done + 1e-3) / WARM, (1 - done) / COOL)


def _batches(data: list[Sample], draw: random.Random) -> Iterator[list[Sample]]:
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
    return iter(draw.sample(batches, len(batches)))


def _loss(network: Llama, batch: list[Sample]) -> Tensor:
    length = max(len(sample.tokens) for sample in batch)
    tokens = torch.full((len(batch), length), words.END)
    weights = torch.zeros(len(batch), length)
    for row, sample in enumerate(batch):
        tokens[row, : len(sample.tokens)] = torch.tensor(sample.tokens)
        weights[row, : len(sample.tokens)] = torch.where(torch.tensor(sample.said), 1.0, PROMPT)
    with torch.autocast("cpu", torch.bfloat16):  # a third faster
        logits = network(tokens)
    logits = logits.float()
    each = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    total, weight = (each * weights[:, 1:].flatten()).sum(), weights[:, 1:].sum()
    for row, sample in enumerate(batch):
        for place, chances in sample.labels.items():
            labels, p = zip(*chances, strict=True)
            logs = logits[row, place].log_softmax(-1)[list(labels)]
            total, weight = total - LABEL * (torch.tensor(p) * logs).sum(), weight + LABEL
    return total / weight
