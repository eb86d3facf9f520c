#!/usr/bin/env python3
"""Writes a projector with the sound encoder of Gemma 4 E2B or Gemma 3n E2B in its real size and random weights, to measure speed with.

Usage: make-conformer.py OUT.gguf [gemma4|gemma3n] [F16|BF16|Q8_0|F32]   (needs the Python packages gguf and numpy)
"""
import sys

import gguf
import numpy as np

LAYERS, HEADS, CHANNELS, TAPS = 12, 8, (128, 32), 5
KINDS = {
    "gemma4": dict(width=1024, decoder=1536, out=1536, project="a.input_projection", positions="attn_k_rel", scale="per_dim_scale.weight",
                   norms=("attn_pre_norm", "attn_post_norm", "ln2"), clipped=True),
    "gemma3n": dict(width=1536, decoder=2048, project="a.pre_encode.out", positions="linear_pos", scale="per_dim_scale",
                    norms=("ln1", "ln2", "layer_pre_norm"), clipped=False),
}
TYPES = {name: gguf.GGMLQuantizationType[name] for name in ("F32", "F16", "BF16", "Q8_0")}
RNG = np.random.default_rng(1)


class Writer:
    def __init__(self, path, kind, dtype):
        self.gguf, self.kind, self.dtype = gguf.GGUFWriter(path, "clip"), kind, dtype

    def matrix(self, name, out, inp):
        data = RNG.standard_normal((out, inp), dtype=np.float32) / np.float32(inp) ** 0.5
        self.gguf.add_tensor(name + ".weight", gguf.quants.quantize(data, self.dtype), raw_dtype=self.dtype)

    def linear(self, name, out, inp):
        """A matrix that clamps before and after the product where the family's do; these limits are rarely met."""
        self.matrix(name, out, inp)
        for field, value in (("input_min", -8), ("input_max", 8), ("output_min", -16), ("output_max", 16)) if self.kind["clipped"] else ():
            self.gguf.add_tensor(f"{name}.{field}", np.array([value], np.float32))

    def normal(self, name, *shape):
        self.gguf.add_tensor(name, RNG.standard_normal(shape, dtype=np.float32) / np.float32(np.prod(shape[1:])) ** 0.5)

    def ones(self, name, n):
        self.gguf.add_tensor(name, np.ones(n, np.float32))


def add_keys(w, kind_name):
    g, kind = w.gguf, w.kind
    g.add_string("clip.audio.projector_type", kind_name + "a")
    g.add_bool("clip.has_audio_encoder", True)
    for key, value in (("projection_dim", kind["decoder"]), ("embedding_length", kind["width"]), ("feed_forward_length", 4 * kind["width"]),
                       ("block_count", LAYERS), ("attention.head_count", HEADS), ("num_mel_bins", 128)):
        g.add_uint32("clip.audio." + key, value)
    g.add_float32("clip.audio.attention.layer_norm_epsilon", 1e-6)


def add_block(w, i):
    b, d = f"a.blk.{i}.", w.kind["width"]
    for s in ("", "_1"):
        w.linear(b + "ffn_up" + s, 4 * d, d)
        w.linear(b + "ffn_down" + s, d, 4 * d)
        w.ones(b + f"ffn_norm{s}.weight", d)
        w.ones(b + f"ffn_post_norm{s}.weight", d)
    for name in ("attn_q", "attn_k", "attn_v", "attn_out", "conv_pw2"):
        w.linear(b + name, d, d)
    w.linear(b + "conv_pw1", 2 * d, d)
    w.matrix(b + w.kind["positions"], d, d)
    for name in (*w.kind["norms"], "conv_norm", "norm_conv"):
        w.ones(b + name + ".weight", d)
    w.ones(b + w.kind["scale"], d // HEADS)
    w.normal(b + "conv_dw.weight", d, TAPS)


def main():
    kind_name = sys.argv[2] if len(sys.argv) > 2 else "gemma4"
    w = Writer(sys.argv[1], KINDS[kind_name], TYPES[sys.argv[3] if len(sys.argv) > 3 else "F16"])
    d, decoder = w.kind["width"], w.kind["decoder"]
    add_keys(w, kind_name)
    for i, (inp, out) in enumerate(zip((1, CHANNELS[0]), CHANNELS)):
        w.normal(f"a.conv1d.{i}.weight", out, inp, 3, 3)
        w.ones(f"a.conv1d.{i}.norm.weight", out)
    w.matrix(w.kind["project"], d, 32 * CHANNELS[1])
    for i in range(LAYERS):
        add_block(w, i)
    if kind_name == "gemma4":
        w.matrix("a.pre_encode.out", w.kind["out"], d)
        w.gguf.add_tensor("a.pre_encode.out.bias", np.zeros(w.kind["out"], np.float32))
        w.matrix("mm.a.input_projection", decoder, w.kind["out"])
    else:
        w.ones("mm.a.soft_emb_norm.weight", d)
        w.ones("mm.a.hard_emb_norm.weight", d)
        w.normal("mm.a.embedding.weight", 128, d)
        w.matrix("mm.a.input_projection", decoder, d)
    w.gguf.write_header_to_file()
    w.gguf.write_kv_data_to_file()
    w.gguf.write_tensors_to_file()
    w.gguf.close()


main()
