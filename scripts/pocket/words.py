"""The tokenizer: byte-level BPE as GPT-2 has it."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ("<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
END = 0
SIZE = 1024
TURN = "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
TEMPLATE = "{% for message in messages %}" + TURN + "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"


def train(texts: Iterable[str], size: int = SIZE) -> Tokenizer:
    """A tokenizer of so many tokens. 0 to 100 are one token each, with a space in front or without: so a number is easy to repeat."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.decoder = decoders.ByteLevel()
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)  # GPT-2's own
    apart = pre_tokenizers.Split(Regex(r" (?=\d)"), "isolated")  # while it learns: no pair of a space and a digit is ever joined
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([apart, plain])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    numbers = [f"{number}\n" * 5_000 for number in range(101)]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([*numbers, *texts], trainer)
    tokenizer.pre_tokenizer = plain
    return tokenizer
