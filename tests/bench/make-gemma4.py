#!/usr/bin/env python3
"""Writes a decoder in the shape of Gemma 4 E2B with random weights (Q4_0, tables Q8_0), to measure speed with.

Usage: make-gemma4.py OUT.gguf [e2b|a4b] [LAYERS]   (needs the Python packages gguf and numpy)

e2b: 35 layers of which the last 20 share keys and values, per-layer embeddings. a4b: the mixture of experts of 26B-A4B,
by default with 6 of its 30 layers. With fewer LAYERS as large a part of them shares. The vocabulary has 32768 pieces instead
of 262144, so that the file is made in a minute.
"""
import sys

import gguf
import numpy as np

VOCAB = 32768
Q4, Q8 = gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q8_0
SHAPES = {
    "e2b": dict(width=1536, layers=35, period=5, shared=20, heads=8, kv=(1, 1), head=(256, 512), ffn=6144, window=512, per_layer=256),
    "a4b": dict(width=2816, layers=6, period=6, shared=0, heads=16, kv=(8, 2), head=(256, 512), ffn=2112, window=1024, per_layer=0,
                experts=128, chosen=8, expert_ffn=704),
}
RNG = np.random.default_rng(1)


def random_blocks(rows, columns, quant):
    """Blocks of a half-precision scale and random digits, about 1 / sqrt (columns) wide."""
    size, spread = (18, 4.6) if quant == Q4 else (34, 73.0)
    blocks = RNG.integers(0, 256, (rows * columns // 32, size), dtype=np.uint8)
    scale = np.float16(1 / (spread * columns ** 0.5)).tobytes()
    blocks[:, 0], blocks[:, 1] = scale[0], scale[1]
    return blocks.reshape(rows, columns // 32 * size)


def add_vocabulary(w):
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>"]
    types = [3, 3, 3, 2, 3, 3]
    tokens += [f"<0x{i:02X}>" for i in range(256)]
    types += [6] * 256
    pieces = ["\n", "\u2581"] + letters + [a + b for a in letters for b in letters]
    tokens += pieces + [f"<unused{i}>" for i in range(VOCAB - len(tokens) - len(pieces))]
    types += [1] * len(pieces) + [5] * (VOCAB - len(types) - len(pieces))
    w.add_tokenizer_model("gemma4")
    w.add_token_list(tokens)
    w.add_token_scores([0.0] * VOCAB)
    w.add_token_types(types)
    w.add_token_merges([f"{a} {b}" for a in letters for b in letters])
    w.add_bos_token_id(2)
    w.add_eos_token_id(1)
    w.add_unk_token_id(3)
    w.add_pad_token_id(0)
    w.add_add_bos_token(True)
    w.add_add_space_prefix(False)


def add_keys(w, s, sliding):
    own = s["layers"] - s["shared"]
    w.add_context_length(32768)
    w.add_embedding_length(s["width"])
    w.add_block_count(s["layers"])
    w.add_feed_forward_length([s["ffn"] * (1 if i < own else 2) for i in range(s["layers"])])
    w.add_head_count(s["heads"])
    w.add_head_count_kv([s["kv"][0] if x else s["kv"][1] for x in sliding])
    w.add_layer_norm_rms_eps(1e-6)
    w.add_sliding_window(s["window"])
    w.add_sliding_window_pattern(sliding)
    w.add_shared_kv_layers(s["shared"])
    w.add_embedding_length_per_layer_input(s["per_layer"])
    for key in ("attention.key_length", "attention.value_length", "rope.dimension_count"):
        w.add_uint32(f"gemma4.{key}", s["head"][1])
        w.add_uint32(f"gemma4.{key}_swa", s["head"][0])
    w.add_rope_freq_base(1e6)
    w.add_float32("gemma4.rope.freq_base_swa", 1e4)
    w.add_final_logit_softcapping(30.0)
    if "experts" in s:
        w.add_expert_count(s["experts"])
        w.add_expert_used_count(s["chosen"])
        w.add_expert_feed_forward_length(s["expert_ffn"])


def add_layer(w, s, i, sliding):
    b, d = f"blk.{i}.", s["width"]
    own = i < s["layers"] - s["shared"]
    head, kv = (s["head"][0], s["kv"][0]) if sliding else (s["head"][1], s["kv"][1])
    ffn = s["ffn"] * (1 if own else 2)

    def matrix(name, out, inp):
        w.add_tensor(b + name + ".weight", random_blocks(out, inp, Q4), raw_dtype=Q4)

    def ones(name, n):
        w.add_tensor(b + name, np.ones(n, np.float32))

    matrix("attn_q", s["heads"] * head, d)
    matrix("attn_output", d, s["heads"] * head)
    ones("attn_q_norm.weight", head)
    if own:
        matrix("attn_k", kv * head, d)
        if sliding or s["per_layer"]:
            matrix("attn_v", kv * head, d)
        ones("attn_k_norm.weight", head)
    matrix("ffn_gate", ffn, d)
    matrix("ffn_up", ffn, d)
    matrix("ffn_down", d, ffn)
    for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
        ones(name + ".weight", d)
    if s["per_layer"]:
        matrix("inp_gate", s["per_layer"], d)
        matrix("proj", d, s["per_layer"])
        ones("post_norm.weight", d)
    ones("layer_output_scale.weight", 1)
    if "experts" in s:
        n, f = s["experts"], s["expert_ffn"]
        w.add_tensor(b + "ffn_gate_inp.weight", RNG.standard_normal((n, d), dtype=np.float32))
        w.add_tensor(b + "ffn_gate_up_exps.weight", random_blocks(n * 2 * f, d, Q4).reshape(n, 2 * f, -1), raw_dtype=Q4)
        w.add_tensor(b + "ffn_down_exps.weight", random_blocks(n * d, f, Q4).reshape(n, d, -1), raw_dtype=Q4)
        ones("ffn_gate_inp.scale", d)
        ones("ffn_down_exps.scale", n)
        for name in ("pre_ffw_norm_2", "post_ffw_norm_1", "post_ffw_norm_2"):
            ones(name + ".weight", d)


def main():
    s = dict(SHAPES[sys.argv[2] if len(sys.argv) > 2 else "e2b"])
    if len(sys.argv) > 3:
        n = int(sys.argv[3])
        s["shared"] = s["shared"] * n // s["layers"] // s["period"] * s["period"]
        s["layers"] = n
    sliding = [(i + 1) % s["period"] != 0 for i in range(s["layers"])]
    w = gguf.GGUFWriter(sys.argv[1], "gemma4", use_temp_file=False)
    add_keys(w, s, sliding)
    add_vocabulary(w)
    w.add_tensor("token_embd.weight", random_blocks(VOCAB, s["width"], Q8), raw_dtype=Q8)
    w.add_tensor("output_norm.weight", np.ones(s["width"], np.float32))
    half = s["head"][1] // 2
    w.add_tensor("rope_freqs.weight", np.array([1.0] * (half // 4) + [1e30] * (half - half // 4), np.float32))
    if s["per_layer"]:
        total = s["per_layer"] * s["layers"]
        w.add_tensor("per_layer_token_embd.weight", random_blocks(VOCAB, total, Q8), raw_dtype=Q8)
        w.add_tensor("per_layer_model_proj.weight", random_blocks(total, s["width"], Q8), raw_dtype=Q8)
        w.add_tensor("per_layer_proj_norm.weight", np.ones(s["per_layer"], np.float32))
    for i, x in enumerate(sliding):
        add_layer(w, s, i, x)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
