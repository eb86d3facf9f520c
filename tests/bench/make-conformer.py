#!/usr/bin/env python3
"""Writes a projector with Gemma 4 E2B's sound encoder in its real size and random weights, to measure speed with.

Usage: make-conformer.py OUT.gguf [F16|BF16|Q8_0|F32]   (needs the Python packages gguf and numpy)
"""
import sys

import gguf
import numpy as np

WIDTH, FFN, LAYERS, HEADS, OUT, DECODER = 1024, 4096, 12, 8, 1536, 1536
TYPES = {name: gguf.GGMLQuantizationType[name] for name in ("F32", "F16", "BF16", "Q8_0")}


def main():
    path, kind = sys.argv[1], TYPES[sys.argv[2] if len(sys.argv) > 2 else "F16"]
    rng = np.random.default_rng(1)
    w = gguf.GGUFWriter(path, "clip")
    w.add_string("clip.audio.projector_type", "gemma4a")
    w.add_bool("clip.has_audio_encoder", True)
    for key, value in (("projection_dim", DECODER), ("embedding_length", WIDTH), ("feed_forward_length", FFN),
                       ("block_count", LAYERS), ("attention.head_count", HEADS), ("num_mel_bins", 128)):
        w.add_uint32("clip.audio." + key, value)

    def matrix(name, out, inp):
        data = (rng.standard_normal((out, inp), dtype=np.float32) / np.float32(inp) ** 0.5)
        w.add_tensor(name + ".weight", gguf.quants.quantize(data, kind), raw_dtype=kind)

    def ones(name, n):
        w.add_tensor(name, np.ones(n, np.float32))

    for i, (inp, out) in enumerate(((1, 128), (128, 32))):
        w.add_tensor(f"a.conv1d.{i}.weight", rng.standard_normal((out, inp, 3, 3), dtype=np.float32) / (9 * inp) ** 0.5)
        ones(f"a.conv1d.{i}.norm.weight", out)
    matrix("a.input_projection", WIDTH, 32 * 32)
    for i in range(LAYERS):
        b = f"a.blk.{i}."
        for s in ("", "_1"):
            matrix(b + "ffn_up" + s, FFN, WIDTH)
            matrix(b + "ffn_down" + s, WIDTH, FFN)
            ones(b + f"ffn_norm{s}.weight", WIDTH)
            ones(b + f"ffn_post_norm{s}.weight", WIDTH)
        for name in ("attn_q", "attn_k", "attn_v", "attn_out", "attn_k_rel", "conv_pw2"):
            matrix(b + name, WIDTH, WIDTH)
        matrix(b + "conv_pw1", 2 * WIDTH, WIDTH)
        for name in ("attn_pre_norm", "attn_post_norm", "conv_norm", "norm_conv", "ln2"):
            ones(b + name + ".weight", WIDTH)
        ones(b + "per_dim_scale.weight", WIDTH // HEADS)
        w.add_tensor(b + "conv_dw.weight", rng.standard_normal((WIDTH, 5), dtype=np.float32))
    matrix("a.pre_encode.out", OUT, WIDTH)
    w.add_tensor("a.pre_encode.out.bias", np.zeros(OUT, np.float32))
    matrix("mm.a.input_projection", DECODER, OUT)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
