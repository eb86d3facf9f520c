#!/usr/bin/env python3
"""Writes a decoder in the shape of Gemma 3 4B with random weights, all matrices of one type, to measure speed with.

Usage: make-gemma3.py OUT.gguf TYPE [LAYERS]   (needs the Python packages gguf and numpy)

TYPE: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL or IQ4_XS. Rows are multiples of 256, so that every type
applies to every matrix, which it does not in the 270M and 1B models. 4 of the 34 layers; the vocabulary has 32768 pieces instead
of 262208.
"""
import sys

import gguf
import numpy as np

from vocabulary import add_vocabulary

VOCAB, WIDTH, FFN, HEADS, KV, HEAD = 32768, 2560, 10240, 8, 4, 256
# Where a block's halves lie, and how far one step of its digits reaches.
HALVES = {"Q4_0": ((0,), 4.6), "Q4_1": ((0, 2), 4.6), "Q5_0": ((0,), 9.2), "Q5_1": ((0, 2), 9.2), "Q8_0": ((0,), 73.0),
          "Q2_K": ((80, 82), 16.0), "Q3_K": ((108,), 64.0), "Q4_K": ((0, 2), 256.0), "Q5_K": ((0, 2), 512.0), "Q6_K": ((208,), 1024.0),
          "IQ4_NL": ((0,), 64.0), "IQ4_XS": ((0,), 1024.0)}
RNG = np.random.default_rng(1)


def random_matrix(rows, columns, name):
    quant = gguf.GGMLQuantizationType[name]
    if name not in HALVES:
        x = RNG.standard_normal((rows, columns), dtype=np.float32) / np.float32(columns ** 0.5)
        return gguf.quants.quantize(x, quant), quant
    per_block, size = gguf.GGML_QUANT_SIZES[quant]
    blocks = RNG.integers(0, 256, (rows * columns // per_block, size), dtype=np.uint8)
    halves, spread = HALVES[name]
    scale = np.float16(1 / (spread * columns ** 0.5)).tobytes()
    for at in halves:
        blocks[:, at], blocks[:, at + 1] = scale[0], scale[1]
    return blocks.reshape(rows, columns // per_block * size), quant


def add_keys(w, layers):
    w.add_context_length(131072)
    w.add_embedding_length(WIDTH)
    w.add_block_count(layers)
    w.add_feed_forward_length(FFN)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV)
    w.add_key_length(HEAD)
    w.add_value_length(HEAD)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_sliding_window(1024)
    w.add_rope_freq_base(1e6)
    w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    w.add_rope_scaling_factor(8.0)


def main():
    path, quant, layers = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 4
    w = gguf.GGUFWriter(path, "gemma3")
    add_keys(w, layers)
    add_vocabulary(w, VOCAB)

    def matrix(name, out, inp):
        data, dtype = random_matrix(out, inp, quant)
        w.add_tensor(name + ".weight", data, raw_dtype=dtype)

    def ones(name, n):
        w.add_tensor(name + ".weight", np.ones(n, np.float32))

    matrix("token_embd", VOCAB, WIDTH)
    ones("output_norm", WIDTH)
    for i in range(layers):
        b = f"blk.{i}."
        for name, out, inp in (("attn_q", HEADS * HEAD, WIDTH), ("attn_k", KV * HEAD, WIDTH), ("attn_v", KV * HEAD, WIDTH),
                               ("attn_output", WIDTH, HEADS * HEAD), ("ffn_gate", FFN, WIDTH), ("ffn_up", FFN, WIDTH),
                               ("ffn_down", WIDTH, FFN)):
            matrix(b + name, out, inp)
        for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            ones(b + name, WIDTH)
        for name in ("attn_q_norm", "attn_k_norm"):
            ones(b + name, HEAD)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
