#!/usr/bin/env python3
"""Writes a projector with Gemma 3n's picture encoder (MobileNet-V5 300M) in its real size and random weights, to measure speed with.

Usage: make-mobilenetv5.py OUT.gguf [F16|BF16|F32]   (needs the Python packages gguf and numpy)
"""
import sys

import gguf
import numpy as np

STEM, FUSED, DECODER = 64, 2048, 2048
# Edge residual: ("e", kernel, expansion); inverted residual: ("u", kernel before, kernel between, expansion);
# attention: ("a", heads, width of a head, keys and values of half the map).
STAGES = (
    (128, [("e", 3, 4)] * 3),
    (256, [("u", 3, 5, 6)] + [("u", 5, 0, 4), ("u", 3, 0, 4)] * 2),
    (640, [("u", 5, 5, 6)] + [("u", 5, 0, 4)] * 7 + [("u", 0, 0, 1)] + [("a", 12, 64, True), ("u", 0, 0, 2)] * 14),
    (1280, [("u", 5, 5, 6)] + [("a", 16, 96, False), ("u", 0, 0, 2)] * 19),
)


def main():
    path, kind = sys.argv[1], gguf.GGMLQuantizationType[sys.argv[2] if len(sys.argv) > 2 else "F16"]
    rng = np.random.default_rng(1)
    w = gguf.GGUFWriter(path, "clip")
    w.add_bool("clip.has_vision_encoder", True)
    w.add_string("clip.vision.projector_type", "gemma3nv")
    w.add_uint32("clip.vision.image_size", 768)
    w.add_uint32("clip.vision.projection_dim", DECODER)

    def ones(name, *shape):
        w.add_tensor(name, np.ones(shape, np.float32))

    def conv(name, out, inp, k, norm):
        data = rng.standard_normal((out, inp, k, k), dtype=np.float32) / np.float32(inp * k * k) ** 0.5
        packed = gguf.quants.quantize(data.reshape(out, -1), kind)
        w.add_tensor(name, packed.reshape(out, inp, k, -1), raw_dtype=kind)
        if norm:
            ones(norm, out)

    def unit(name, out, inp, k):
        conv(name + ".conv.weight", out, inp, k, name + ".bn.weight")

    conv("v.conv_stem.conv.weight", STEM, 3, 3, "v.conv_stem.bn.weight")
    w.add_tensor("v.conv_stem.conv.bias", np.zeros((1, STEM, 1, 1), np.float32))
    inp = STEM
    for s, (out, blocks) in enumerate(STAGES):
        for i, (form, *sizes) in enumerate(blocks):
            b = f"v.blk.{s}.{i}."
            if form == "e":
                conv(b + "conv_exp.weight", inp * sizes[1], inp, sizes[0], b + "bn1.weight")
                conv(b + "conv_pwl.weight", out, inp * sizes[1], 1, b + "bn2.weight")
            elif form == "u":
                if sizes[0]:
                    unit(b + "dw_start", inp, 1, sizes[0])
                unit(b + "pw_exp", inp * sizes[2], inp, 1)
                if sizes[1]:
                    unit(b + "dw_mid", inp * sizes[2], 1, sizes[1])
                unit(b + "pw_proj", out, inp * sizes[2], 1)
            else:
                heads, head, smaller = sizes
                ones(b + "norm.weight", inp)
                conv(b + "attn.query.proj.weight", heads * head, inp, 1, None)
                for part in ("key", "value"):
                    if smaller:
                        conv(b + f"attn.{part}.down_conv.weight", inp, 1, 3, b + f"attn.{part}.norm.weight")
                    conv(b + f"attn.{part}.proj.weight", head, inp, 1, None)
                conv(b + "attn.output.proj.weight", out, heads * head, 1, None)
            if form != "e":
                ones(b + "layer_scale.gamma", 1, out, 1, 1)
            inp = out
    unit("v.msfa.ffn.pw_exp", 2 * (640 + 1280), 640 + 1280, 1)
    unit("v.msfa.ffn.pw_proj", FUSED, 2 * (640 + 1280), 1)
    ones("v.msfa.norm.weight", FUSED)
    ones("mm.soft_emb_norm.weight", FUSED)
    projection = rng.standard_normal((DECODER, FUSED), dtype=np.float32) / np.float32(FUSED) ** 0.5
    w.add_tensor("mm.input_projection.weight", gguf.quants.quantize(projection, kind), raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
