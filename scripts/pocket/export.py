"""The network and its tokenizer as one GGUF file, which llama.cpp serves."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import TokenType
from tokenizers import Tokenizer

from commonage.models import decide

from . import train, words

CONTEXT = 8192
LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # of the decision endpoint: each one token


def systemone() -> str:
    """The template of llama.cpp's decision endpoint: the same text that the label route sends over chat."""
    line = decide.LINE.format(label="{{ labels[loop.index0] }}", option="{{ option.key }}")
    lines = "{% for option in options %}" + line + "{% if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}"
    before, after = (json.dumps(part) for part in decide.MENU.split("{menu}"))
    menu = "{{ " + before + " }}" + lines + "{{ " + after + " }}"
    talk = (
        "{% for message in state %}{{ '<|' + message.role + '|>' + message.content }}"
        "{% if not loop.last %}{{ '<|end|>' }}{% endif %}{% endfor %}"
    )
    state = "{% if state is string %}{{ '<|user|>' + state }}{% else %}" + talk + "{% endif %}"
    return "{% set labels = '" + LABELS + "' %}" + state + "{{ '\\n\\n' }}" + menu + "{{ '<|end|><|assistant|>' }}"


def write(network: train.Llama, tokenizer: Tokenizer, path: Path) -> None:
    """Matrices in q8_0, the rest in f32."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("commonage pocket")
    writer.add_description("TEST MODEL of commonage: it imitates a few strategies. No result of it says anything about language models.")
    writer.add_license("MIT")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(train.WIDTH)
    writer.add_block_count(train.LAYERS)
    writer.add_feed_forward_length(train.INNER)
    writer.add_head_count(train.HEADS)
    writer.add_head_count_kv(train.HEADS)
    writer.add_layer_norm_rms_eps(train.EPSILON)
    writer.add_rope_dimension_count(train.WIDTH // train.HEADS)
    writer.add_rope_freq_base(train.THETA)
    writer.add_vocab_size(tokenizer.get_vocab_size())
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_string("llama.decision.type", "openjev")  # llama.cpp: labels read off the logits behind the prompt
    _words(writer, tokenizer)
    for name, weights in network.state_dict().items():
        array = weights.detach().numpy().astype(np.float32)
        if name.endswith(("attn_q.weight", "attn_k.weight")):
            array = paired(array)
        name = name if name.endswith(".weight") else f"{name}.weight"
        if array.ndim == 2:
            writer.add_tensor(name, gguf.quants.quantize(array, Kind.Q8_0), raw_dtype=Kind.Q8_0)
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def paired(rows: np.ndarray) -> np.ndarray:
    """Rows of q or k with the two of each rotary pair side by side: llama.cpp turns neighbours, `train` the halves of a head."""
    heads = rows.reshape(train.HEADS, 2, -1, rows.shape[-1])
    return heads.swapaxes(1, 2).reshape(rows.shape)


def _words(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    """The tokenizer; its special tokens are CONTROL, so that no text can contain one unless it is parsed for them."""
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types([TokenType.CONTROL if token in words.SPECIAL else TokenType.NORMAL for token, _ in vocabulary])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_eos_token_id(words.END)
    writer.add_pad_token_id(words.END)
    writer.add_add_bos_token(False)
    writer.add_chat_template([{"name": "default", "template": words.TEMPLATE}, {"name": "systemone", "template": systemone()}])
