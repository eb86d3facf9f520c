#!/usr/bin/env python3
"""What transformers makes of sounds of many lengths: frames and tokens of each, and for some the spectrum and soft tokens of the
tiny models, in float32.

  python make-sound-lengths.py DIRECTORY     needs torch, transformers >= 5.24 and gguf

DIRECTORY is the folder of this file: models/FAMILY-tiny/mmproj.gguf and inputs/note_it.wav are read, expected/FAMILY/audio_lengths.npz
is written. The sound is the note, repeated and cut: `samples`, `frames`, `tokens` [lengths]; `mel_N` and `soft_N` of N samples,
of long ones the last ROWS rows only.
"""
import re
import sys
import wave
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import Gemma3nAudioConfig, Gemma3nAudioEncoder, Gemma3nAudioFeatureExtractor
from transformers import Gemma4AudioConfig, Gemma4AudioFeatureExtractor, Gemma4AudioModel

ROWS = 12
VALUES = (1600, 4321, 480000)
COUNTS = sorted({*range(1600, 2400, 37), *range(15980, 16400, 29), *range(479600, 480001, 25), *VALUES, 47999, 48001, 160000})
COMMON = [(r"ffn_(up|down)(_1)?\.", lambda m: f"{FEED[bool(m[2])]}.ffw_layer_{1 if m[1] == 'up' else 2}."),
          (r"ffn_norm(_1)?\.", lambda m: f"{FEED[bool(m[1])]}.pre_layer_norm."),
          (r"ffn_post_norm(_1)?\.", lambda m: f"{FEED[bool(m[1])]}.post_layer_norm."),
          (r"norm_conv\.", "lconv1d.conv_norm."), (r"conv_norm\.", "lconv1d.pre_layer_norm."), (r"conv_dw\.", "lconv1d.depthwise_conv1d."),
          (r"conv_pw1\.", "lconv1d.linear_start."), (r"conv_pw2\.", "lconv1d.linear_end.")]
GEMMA4 = [(r"attn_([qkv])\.", r"self_attn.\1_proj."), (r"attn_out\.", "self_attn.post."), (r"attn_k_rel\.", "self_attn.relative_k_proj."),
          (r"per_dim_scale\.weight", "self_attn.per_dim_scale"), (r"attn_pre_norm\.", "norm_pre_attn."),
          (r"attn_post_norm\.", "norm_post_attn."), (r"ln2\.", "norm_out.")]
GEMMA3N = [(r"attn_([qkv])\.", r"attention.attn.\1_proj."), (r"attn_out\.", "attention.post."),
           (r"linear_pos\.", "attention.attn.relative_position_embedding.pos_proj."), (r"per_dim_scale", "attention.attn.per_dim_scale"),
           (r"ln1\.", "attention.pre_attn_norm."), (r"ln2\.", "attention.post_norm."), (r"layer_pre_norm\.", "norm.")]
FEED = {}


def read_gguf(path):
    found = {}
    for t in gguf.GGUFReader(path).tensors:
        data = t.data if t.tensor_type.name == "F32" else gguf.quants.dequantize(t.data, t.tensor_type)
        found[t.name] = torch.from_numpy(np.array(data, np.float32).reshape([int(n) for n in t.shape][::-1]))
    return found


def fill(model, tensors, blocks, rules, ends):
    """Loads the encoder's parameters, which must all be there."""
    state, wanted = {}, model.state_dict()
    for name, value in tensors.items():
        inner = re.match(r"a\.blk\.(\d+)\.(.*)", name)
        if inner:
            rest = inner[2]
            for pattern, by in rules + COMMON:
                rest, changed = re.subn("^" + pattern, by, rest)
                if changed:
                    break
            name = f"{blocks}.{inner[1]}.{rest}"
            if name not in wanted and name.endswith(".weight"):
                name = name[:-6] + "linear.weight"
        else:
            name = ends.get(name, name)
        if name in wanted:
            state[name] = value.reshape(wanted[name].shape)
    for name in state:
        if name.endswith("per_dim_scale") and blocks == "layers":
            state[name] = torch.log(torch.expm1(state[name].double())).float()  # stored after its softplus
    missing = [name for name in wanted if name not in state]
    assert not missing, missing
    model.load_state_dict(state)
    return model.float().eval()


def rms(x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


def gemma4(w):
    FEED.update({False: "feed_forward1", True: "feed_forward2"})
    config = Gemma4AudioConfig(hidden_size=64, num_hidden_layers=3, num_attention_heads=4, subsampling_conv_channels=[128, 8],
                               output_proj_dims=96, attn_implementation="eager")
    ends = {"a.input_projection.weight": "subsample_conv_projection.input_proj_linear.weight",
            "a.pre_encode.out.weight": "output_proj.weight", "a.pre_encode.out.bias": "output_proj.bias"}
    ends |= {f"a.conv1d.{i}.{a}weight": f"subsample_conv_projection.layer{i}.{b}.weight" for i in (0, 1) for a, b in (("", "conv"), ("norm.", "norm"))}
    model, extract = fill(Gemma4AudioModel(config), w, "layers", GEMMA4, ends), Gemma4AudioFeatureExtractor()

    def run(samples):
        f = extract([samples], sampling_rate=16000, return_tensors="pt")
        mel, mask = f["input_features"].float(), f["input_features_mask"].bool()
        out = model(mel, mask)
        soft = rms(out.last_hidden_state) @ w["mm.a.input_projection.weight"].T
        return mel[0][mask[0]], soft[0][out.attention_mask[0].bool()]
    return run


def gemma3n(w):
    FEED.update({False: "ffw_layer_start", True: "ffw_layer_end"})
    config = Gemma3nAudioConfig(hidden_size=64, conf_num_hidden_layers=3, conf_num_attention_heads=4, sscp_conv_channel_size=[16, 8],
                                attn_implementation="eager")
    ends = {"a.pre_encode.out.weight": "subsample_conv_projection.input_proj_linear.weight"}
    ends |= {f"a.conv1d.{i}.{a}weight": f"subsample_conv_projection.conv_{i}.{b}.weight" for i in (0, 1) for a, b in (("", "conv"), ("norm.", "norm"))}
    model, extract = fill(Gemma3nAudioEncoder(config), w, "conformer", GEMMA3N, ends), Gemma3nAudioFeatureExtractor()

    def run(samples):
        f = extract([samples], sampling_rate=16000, return_tensors="pt")
        mel, mask = f["input_features"].float(), f["input_features_mask"].bool()
        out = model(mel, ~mask)
        h, padding = out.last_hidden_state[0], out.audio_mel_mask[0]
        soft = (rms(h) * w["mm.a.soft_emb_norm.weight"]) @ w["mm.a.input_projection.weight"].T
        return mel[0], rms(soft)[~padding]
    return run


def main():
    root = Path(sys.argv[1])
    with wave.open(str(root / "inputs/note_it.wav")) as file:
        note = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    for family, make in (("gemma4", gemma4), ("gemma3n", gemma3n)):
        run = make(read_gguf(root / f"models/{family}-tiny/mmproj.gguf"))
        arrays, frames, tokens = {"samples": np.array(COUNTS, np.int32)}, [], []
        with torch.no_grad():
            for n in COUNTS:
                mel, soft = run(np.resize(note, n))
                frames.append(len(mel))
                tokens.append(len(soft))
                if n in VALUES:
                    arrays[f"mel_{n}"], arrays[f"soft_{n}"] = mel[-4 * ROWS:].numpy(), soft[-ROWS:].numpy()
        arrays |= {"frames": np.array(frames, np.int32), "tokens": np.array(tokens, np.int32)}
        np.savez_compressed(root / f"expected/{family}/audio_lengths.npz", **arrays)
        print(family, dict(zip(COUNTS[::9], zip(frames[::9], tokens[::9]))))


main()
