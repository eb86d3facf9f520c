#!/usr/bin/env python3
"""Writes a projector with Gemma 3's picture encoder in its real size and random weights, to measure speed with.

Usage: make-siglip.py OUT.gguf [F16|BF16|Q8_0|F32] [WIDTH]   (needs the Python packages gguf and numpy)

WIDTH is that of the text model the projector shall fit: 640, the default, is Gemma 3 270M's. In Q8_0 files ffn_down stays
F16, as its rows of 4304 are no whole number of blocks.
"""
import sys

import gguf
import numpy as np

SIDE, PATCH, INNER, FFN, LAYERS, HEADS = 896, 14, 1152, 4304, 27, 16
TYPES = {name: gguf.GGMLQuantizationType[name] for name in ("F32", "F16", "BF16", "Q8_0")}


def main():
    path, kind = sys.argv[1], TYPES[sys.argv[2] if len(sys.argv) > 2 else "F16"]
    width = int(sys.argv[3]) if len(sys.argv) > 3 else 640
    rng = np.random.default_rng(1)
    w = gguf.GGUFWriter(path, "clip")
    w.add_type("mmproj")
    w.add_string("clip.projector_type", "gemma3")
    w.add_bool("clip.has_vision_encoder", True)
    w.add_bool("clip.use_gelu", True)
    for key, value in (("projection_dim", width), ("image_size", SIDE), ("patch_size", PATCH), ("embedding_length", INNER),
                       ("feed_forward_length", FFN), ("block_count", LAYERS), ("attention.head_count", HEADS)):
        w.add_uint32("clip.vision." + key, value)
    w.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    for key in ("image_mean", "image_std"):
        w.add_array("clip.vision." + key, [0.5, 0.5, 0.5])

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    def matrix(name, out, inp):
        dtype = kind if inp % 32 == 0 or kind != TYPES["Q8_0"] else TYPES["F16"]
        data = normal(out, inp) / np.float32(inp) ** 0.5
        w.add_tensor(name + ".weight", gguf.quants.quantize(data, dtype), raw_dtype=dtype)
        w.add_tensor(name + ".bias", 0.1 * normal(out))

    def norm(name):
        w.add_tensor(name + ".weight", np.ones(INNER, np.float32))
        w.add_tensor(name + ".bias", np.zeros(INNER, np.float32))

    w.add_tensor("v.patch_embd.weight", (normal(INNER, 3, PATCH, PATCH) / (3 * PATCH * PATCH) ** 0.5).astype(np.float16))
    w.add_tensor("v.patch_embd.bias", np.zeros(INNER, np.float32))
    w.add_tensor("v.position_embd.weight", 0.1 * normal((SIDE // PATCH) ** 2, INNER))
    for i in range(LAYERS):
        b = f"v.blk.{i}."
        norm(b + "ln1")
        norm(b + "ln2")
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            matrix(b + name, INNER, INNER)
        matrix(b + "ffn_up", FFN, INNER)
        matrix(b + "ffn_down", INNER, FFN)
    norm("v.post_ln")
    w.add_tensor("mm.soft_emb_norm.weight", np.ones(INNER, np.float32))
    w.add_tensor("mm.input_projection.weight", (normal(INNER, width) / INNER ** 0.5).astype(np.float16))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
