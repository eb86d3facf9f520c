#!/usr/bin/env python3
"""What the kit's decoders compute when keys and values are kept in fewer bits: the reference kit's NumPy decoder, which agrees with
transformers to 1e-5, with the rows of its cache rounded as they are stored.

  python make-cache-types.py REFERENCE DIRECTORY     REFERENCE holds spec_check.py, models and expected; needs numpy, gguf and pillow

Writes below DIRECTORY

  models/gemma4-heads-tiny/text-q8_0.gguf    the kit's Gemma 4 with heads twice as wide (32 and 64), as blocks of q8_0 need, without vocabulary
  expected/FAMILY/cache.npz                  PROMPT.{f32,f16,q8_0} [12, vocabulary] logits of the last rows
"""
import sys
from pathlib import Path

import gguf
import numpy as np

REFERENCE, OUT = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(REFERENCE))
from spec_check import Decoder  # noqa: E402

ROWS = 12
Q8 = gguf.GGMLQuantizationType.Q8_0
TYPES = {
    "f32": lambda x: x.astype(np.float32).astype(np.float64),
    "f16": lambda x: x.astype(np.float16).astype(np.float64),
    "q8_0": lambda x: gguf.quants.dequantize(gguf.quants.quantize(x.astype(np.float32), Q8), Q8).reshape(x.shape).astype(np.float64),
}
# family, model below models/, prompts, cache types
CASES = [
    ("gemma3", REFERENCE / "models/gemma3-tiny/text-f32.gguf", ("text", "interleaved"), TYPES),
    ("gemma3n", REFERENCE / "models/gemma3n-tiny/text-f32.gguf", ("text", "interleaved"), ("f32", "f16")),
    ("gemma4", REFERENCE / "models/gemma4-tiny/text-f32.gguf", ("text", "interleaved"), ("f32", "f16")),
    ("gemma4-heads", OUT / "models/gemma4-heads-tiny/text-q8_0.gguf", ("text", "interleaved"), TYPES),
]


class Store:
    """A cache that rounds what it is given."""

    def __init__(self, rows, rounded):
        self.rows, self.rounded = rows, rounded

    def __setitem__(self, kind, pair):
        self.rows[kind] = tuple(self.rounded(x) for x in pair)

    def __getitem__(self, kind):
        return self.rows[kind]


class Rounding(Decoder):
    rounded = staticmethod(TYPES["f32"])

    def attention(self, il, x, mask, kvcache):
        return super().attention(il, x, mask, Store(kvcache, self.rounded))


def logits(decoder, family, prompt):
    stored = np.load(REFERENCE / "expected" / family / f"{prompt}.npz")
    ids, soft = stored["input_ids"].copy(), np.zeros(len(stored["input_ids"]), bool)
    for start, n in stored["spans"]:
        soft[start:start + n] = True
    if family == "gemma3n":
        soft |= ids >= len(decoder.W["per_layer_token_embd.weight"]) - 16
    ids[soft] = 0
    embeddings = stored["hf_inputs_embeds"].copy()
    embeddings[~soft] = decoder.W["token_embd.weight"][ids[~soft]] * np.float32(np.sqrt(embeddings.shape[1]))
    _, rows = decoder.run(embeddings, ids, stored["spans"], "all" if family == "gemma3" else None)
    return rows[stored["pos"][-ROWS:], :stored["hf_logits"].shape[1]].astype(np.float32)


# ---- wider heads ----

def widened(name, x, head):
    """Each head gets a second half, the first one backwards and a little smaller."""
    kind = name.split(".")[2] if name.startswith("blk.") else name
    if kind in ("attn_q_norm", "attn_k_norm"):
        return np.concatenate([0.7 * x, 0.65 * x])
    if kind == "rope_freqs.weight":
        return np.repeat(x, 2)
    if kind == "attn_output":
        return widened("blk.0.attn_q", x.T, head).T
    if kind in ("attn_q", "attn_k", "attn_v"):
        heads = x.reshape(-1, head, x.shape[1])
        return np.concatenate([heads, 0.8 * heads[:, ::-1]], 1).reshape(-1, x.shape[1])
    return x


def write_wide(source, path):
    reader = gguf.GGUFReader(str(source))
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(path), "gemma4")
    for field in reader.fields.values():
        if field.name.startswith(("GGUF.", "tokenizer.", "general.architecture")):
            continue
        value, kind = field.contents(), field.types[0]
        if "key_length" in field.name or "value_length" in field.name or "rope.dimension_count" in field.name:
            value *= 2
        writer.add_key_value(field.name, value, kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    tensors = {t.name: gguf.quants.dequantize(t.data, t.tensor_type).reshape(t.shape[::-1]) for t in reader.tensors}
    for name, x in tensors.items():
        layer = name.split(".")[1]
        head = len(tensors[f"blk.{layer}.attn_q_norm.weight"]) if name.startswith("blk.") else 0
        x = np.ascontiguousarray(widened(name, x, head), np.float32)
        if x.ndim < 2:
            writer.add_tensor(name, x)
        else:
            writer.add_tensor(name, gguf.quants.quantize(x, Q8), raw_dtype=Q8)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


write_wide(REFERENCE / "models/gemma4-tiny/text-f32.gguf", OUT / "models/gemma4-heads-tiny/text-q8_0.gguf")
for family, model, prompts, types in CASES:
    decoder, out = Rounding(model), {}
    for prompt in prompts:
        for name in types:
            decoder.rounded = TYPES[name]
            out[f"{prompt}.{name}"] = logits(decoder, family.split("-")[0], prompt)
            moved = out[f"{prompt}.{name}"] - out[f"{prompt}.f32"]
            print(family, prompt, name, "moved", np.abs(moved).max() / np.sqrt((out[f"{prompt}.f32"] ** 2).mean()))
    (OUT / "expected" / family).mkdir(parents=True, exist_ok=True)
    np.savez_compressed(OUT / "expected" / family / "cache.npz", **out)
