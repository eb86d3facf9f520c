#!/usr/bin/env python3
"""Writes a decoder in the shape of Gemma 3n E2B with random weights (Q4_0, tables Q8_0, streams F16), to measure speed with.

Usage: make-gemma3n.py OUT.gguf [LAYERS]   (needs the Python packages gguf and numpy)

30 layers of which the last 10 share keys and values, four streams, sparse gates in the first 10. The vocabulary has 32768
pieces instead of 262400, so that the file is made in a minute.
"""
import sys

import gguf
import numpy as np

from vocabulary import add_vocabulary

VOCAB, WIDTH, FFN, HEADS, KV, HEAD, PER_LAYER, STREAMS, RANK = 32768, 2048, 8192, 8, 2, 256, 256, 4, 64
Q4, Q8 = gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q8_0
RNG = np.random.default_rng(1)


def random_blocks(rows, columns, quant):
    """Blocks of a half-precision scale and random digits, about 1 / sqrt (columns) wide."""
    size, spread = (18, 4.6) if quant == Q4 else (34, 73.0)
    blocks = RNG.integers(0, 256, (rows * columns // 32, size), dtype=np.uint8)
    scale = np.float16(1 / (spread * columns ** 0.5)).tobytes()
    blocks[:, 0], blocks[:, 1] = scale[0], scale[1]
    return blocks.reshape(rows, columns // 32 * size)


def add_keys(w, layers):
    shared, sliding = layers // 3, [(i + 1) % 5 != 0 for i in range(layers)]
    w.add_context_length(32768)
    w.add_embedding_length(WIDTH)
    w.add_block_count(layers)
    w.add_feed_forward_length([FFN] * layers)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV)
    w.add_key_length(HEAD)
    w.add_value_length(HEAD)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_sliding_window(512)
    w.add_sliding_window_pattern(sliding)
    w.add_shared_kv_layers(shared)
    w.add_rope_freq_base(1e6)
    w.add_float32("gemma3n.rope.freq_base_swa", 1e4)
    w.add_final_logit_softcapping(30.0)
    w.add_uint32("gemma3n.altup.active_idx", 0)
    w.add_uint32("gemma3n.altup.num_inputs", STREAMS)
    w.add_uint32("gemma3n.embedding_length_per_layer_input", PER_LAYER)
    w.add_array("gemma3n.activation_sparsity_scale", [1.6448536 if i < 10 else float("-inf") for i in range(layers)])


def main():
    path, layers = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    w = gguf.GGUFWriter(path, "gemma3n")
    add_keys(w, layers)
    add_vocabulary(w, VOCAB)

    def matrix(name, out, inp, quant=Q4):
        w.add_tensor(name + ".weight", random_blocks(out, inp, quant), raw_dtype=quant)

    def half(name, *shape):
        w.add_tensor(name + ".weight", (RNG.standard_normal(shape, dtype=np.float32) / shape[-1] ** 0.5).astype(np.float16))

    def ones(name, n):
        w.add_tensor(name + ".weight", np.ones(n, np.float32))

    matrix("token_embd", VOCAB, WIDTH, Q8)
    matrix("per_layer_token_embd", VOCAB, PER_LAYER * layers, Q8)
    half("per_layer_model_proj", PER_LAYER * layers, WIDTH)
    ones("per_layer_proj_norm", PER_LAYER)
    ones("output_norm", WIDTH)
    for name in ("altup_proj", "altup_unembd_proj"):
        half(name, STREAMS - 1, WIDTH, WIDTH)
    for i in range(layers):
        b = f"blk.{i}."
        for name, out, inp in (("attn_q", HEADS * HEAD, WIDTH), ("attn_output", WIDTH, HEADS * HEAD), ("ffn_gate", FFN, WIDTH),
                               ("ffn_up", FFN, WIDTH), ("ffn_down", WIDTH, FFN), ("inp_gate", PER_LAYER, WIDTH), ("proj", WIDTH, PER_LAYER)):
            matrix(b + name, out, inp)
        for name in ("attn_k", "attn_v"):
            matrix(b + name, KV * HEAD, WIDTH)
        for name, *shape in (("laurel_l", RANK, WIDTH), ("laurel_r", WIDTH, RANK), ("altup_router", STREAMS, WIDTH),
                             ("altup_predict_coef", STREAMS * STREAMS, STREAMS), ("altup_correct_coef", STREAMS, STREAMS)):
            half(b + name, *shape)
        for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm", "laurel_post_norm", "altup_router_norm",
                     "altup_correct_scale", "post_norm"):
            ones(b + name, WIDTH)
        for name in ("attn_q_norm", "attn_k_norm"):
            ones(b + name, HEAD)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
