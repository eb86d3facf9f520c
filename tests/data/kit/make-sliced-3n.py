#!/usr/bin/env python3
"""What models that are nested in the kit's Gemma 3n compute: its tensors cut in NumPy, run by the reference kit's NumPy decoder,
which agrees with transformers to 1e-5 on the whole model.

  python make-sliced-3n.py REFERENCE OUT.npz     REFERENCE holds spec_check.py, models and expected; needs numpy, gguf and pillow

Writes [rows, vocabulary] logits of the stored rows as CUT_PROMPT_TYPE. The cuts are those of tests/parity/test-submodel.c.
"""
import sys
from pathlib import Path

import numpy as np

REFERENCE = Path(sys.argv[1])
sys.path.insert(0, str(REFERENCE))
from spec_check import Decoder  # noqa: E402

CUTS = {"nested": ([20], [64] * 21), "mixed": ([3, 7, 12, 21], [64, 128, 96] * 6)}


def cut(decoder, left_out, widths):
    """The sub-model, tensor by tensor."""
    kept = [i for i in range(decoder.L) if i not in left_out]
    width, own = decoder.kv["embedding_length_per_layer_input"], decoder.L - decoder.kv["attention.shared_kv_layers"]
    whole, weights = decoder.W, {}
    for name, value in whole.items():
        if not name.startswith("blk."):
            weights[name] = value
    table, projection = whole["per_layer_token_embd.weight"], whole["per_layer_model_proj.weight"]
    weights["per_layer_token_embd.weight"] = table.reshape(len(table), decoder.L, width)[:, kept].reshape(len(table), -1)
    weights["per_layer_model_proj.weight"] = projection.reshape(decoder.L, width, -1)[kept].reshape(-1, projection.shape[1])
    for place, layer in enumerate(kept):
        for name, value in whole.items():
            if name.startswith(f"blk.{layer}."):
                rest = name.split(".", 2)[2]
                value = value[:widths[place]] if rest in ("ffn_gate.weight", "ffn_up.weight") else value
                weights[f"blk.{place}.{rest}"] = value[:, :widths[place]] if rest == "ffn_down.weight" else value
    decoder.W = weights
    decoder.swa = [decoder.swa[i] for i in kept]
    decoder.kv = {**decoder.kv, "attention.shared_kv_layers": sum(i >= own for i in kept),
                  "activation_sparsity_scale": [decoder.kv["activation_sparsity_scale"][i] for i in kept]}
    decoder.L = len(kept)


def logits(model, prompt, left_out, widths):
    decoder = Decoder(REFERENCE / "models/gemma3n-tiny" / model)
    cut(decoder, left_out, widths)
    stored = np.load(REFERENCE / "expected/gemma3n" / f"{prompt}.npz")
    ids, embeddings = stored["input_ids"].copy(), stored["hf_inputs_embeds"].copy()
    text = ids < len(decoder.W["per_layer_token_embd.weight"]) - 16
    for start, n in stored["spans"]:
        text[start:start + n] = False
    embeddings[text] = decoder.W["token_embd.weight"][ids[text]] * np.float32(np.sqrt(embeddings.shape[1]))
    ids[~text] = 0
    return decoder.run(embeddings, ids, stored["spans"], None)[1][stored["pos"]].astype(np.float32)


out = {}
for name, (left_out, widths) in CUTS.items():
    for prompt in ("text", "interleaved"):
        out[f"{name}_{prompt}_f32"] = logits("text-f32.gguf", prompt, left_out, widths)
    out[f"{name}_text_q4_0"] = logits("text-q4_0.gguf", "text", left_out, widths)
np.savez_compressed(sys.argv[2], **out)
