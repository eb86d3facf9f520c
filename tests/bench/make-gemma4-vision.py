#!/usr/bin/env python3
"""Writes a projector with the picture encoder of Gemma 4 E2B in its real size and random weights, to measure speed with.

Usage: make-gemma4-vision.py OUT.gguf [F16|BF16|Q8_0|F32]   (needs the Python packages gguf and numpy)
"""
import sys

import gguf
import numpy as np

PATCH, INNER, FFN, LAYERS, HEADS, POSITIONS, DECODER = 16, 768, 3072, 16, 12, 10240, 1536
TYPES = {name: gguf.GGMLQuantizationType[name] for name in ("F32", "F16", "BF16", "Q8_0")}


def main():
    path, kind = sys.argv[1], TYPES[sys.argv[2] if len(sys.argv) > 2 else "F16"]
    rng = np.random.default_rng(1)
    w = gguf.GGUFWriter(path, "clip")
    w.add_type("mmproj")
    w.add_string("clip.vision.projector_type", "gemma4v")
    w.add_bool("clip.has_vision_encoder", True)
    for key, value in (("projection_dim", DECODER), ("image_size", 224), ("patch_size", PATCH), ("embedding_length", INNER),
                       ("feed_forward_length", FFN), ("block_count", LAYERS), ("attention.head_count", HEADS)):
        w.add_uint32("clip.vision." + key, value)
    w.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    for key, value in (("image_mean", 0.0), ("image_std", 1.0)):
        w.add_array("clip.vision." + key, [value] * 3)

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32) / np.float32(np.prod(shape[1:])) ** 0.5

    def matrix(name, out, inp):
        w.add_tensor(name + ".weight", gguf.quants.quantize(normal(out, inp), kind), raw_dtype=kind)

    def linear(name, out, inp):
        """Clamps before and after the product, as released ones do; these limits are rarely met."""
        matrix(name, out, inp)
        for field, value in (("input_min", -8), ("input_max", 8), ("output_min", -16), ("output_max", 16)):
            w.add_tensor(f"{name}.{field}", np.array([value], np.float32))

    def ones(name, n):
        w.add_tensor(name + ".weight", np.ones(n, np.float32))

    w.add_tensor("v.patch_embd.weight", normal(INNER, 3, PATCH, PATCH))
    w.add_tensor("v.position_embd.weight", 0.1 * rng.standard_normal((2, POSITIONS, INNER), dtype=np.float32))
    for i in range(LAYERS):
        b = f"v.blk.{i}."
        for name in ("ln1", "attn_post_norm", "ln2", "ffn_post_norm"):
            ones(b + name, INNER)
        for name in ("attn_q_norm", "attn_k_norm"):
            ones(b + name, INNER // HEADS)
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            linear(b + name, INNER, INNER)
        for name in ("ffn_gate", "ffn_up"):
            linear(b + name, FFN, INNER)
        linear(b + "ffn_down", INNER, FFN)
    matrix("mm.input_projection", DECODER, INNER)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
