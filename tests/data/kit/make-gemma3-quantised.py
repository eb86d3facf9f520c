#!/usr/bin/env python3
"""Gemma 3 with quantised weights, text and picture encoder alike, and what transformers computes with the same weights as
32-bit floats: the encoders' soft tokens, the logits after prompts with pictures, the greedy answers.

  python make-gemma3-quantised.py DIRECTORY     needs torch, transformers >= 5.24 and gguf

Reads models/gemma3-tiny/ and expected/gemma3/ below DIRECTORY, the tiny model of the kit. Writes

  models/gemma3-quantised/mmproj-{q8_0,q4_0}.gguf             its encoder, quantised
  models/gemma3-quantised/mmproj-wide_{q4_k,q6_k}.gguf        one of width 256, as those types need, for the same text models
  expected/gemma3/vision_quantised.npz    PROJECTOR_{photo,chart} [16, 256]; with _floats: before quantising
  expected/gemma3/greedy_quantised.npz    PROMPT.TEXT.PROJECTOR.{logits,greedy,margin}

where TEXT is a text model of the kit, PROJECTOR one of q8_0, q4_0, wide_q4_k and wide_q6_k. Blocks' matrices are quantised, as
llama.cpp does it. Random weights depend on the seed, the name and the shape of a tensor only.
"""
import sys
import zlib
from pathlib import Path
import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

SEED = 20261125
N_GREEDY = 32
WIDE, WIDE_FFN, WIDE_BLOCKS, WIDTH = 256, 512, 2, 256
TEXTS = ["q8_0", "q4_0", "q4_k"]
PROJECTORS = {"q8_0": Type.Q8_0, "q4_0": Type.Q4_0, "wide_q4_k": Type.Q4_K, "wide_q6_k": Type.Q6_K}
PROMPTS = {"image": ["photo"], "interleaved": ["photo", "chart"]}
TEXT_NAMES = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
VISION_NAMES = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_out": "self_attn.out_proj",
    "ln1": "layer_norm1", "ln2": "layer_norm2", "ffn_up": "mlp.fc1", "ffn_down": "mlp.fc2",
}
VISION_ENDS = {
    "v.patch_embd": "embeddings.patch_embedding", "v.position_embd": "embeddings.position_embedding", "v.post_ln": "post_layernorm",
}


# ---- types that gguf only reads: the nearest steps of a plain scale, no search ----

def halves(x):
    return x.astype(np.float16).astype(np.float32)


def over(x, d):
    return np.divide(x, d, out=np.zeros(np.broadcast(x, d).shape, np.float32), where=d != 0)


def pack_q4_k(x):
    """[n, 256]: 8 blocks of 32 with 6-bit scales and minima, d * scale * q - dmin * min"""
    b = x.reshape(-1, 8, 32)
    low = np.maximum(0, -b.min(2))
    step = (b.max(2) + low) / 15
    d, dmin = halves(step.max(1, keepdims=True) / 63), halves(low.max(1, keepdims=True) / 63)
    s, m = (np.clip(np.rint(over(v, w)), 0, 63).astype(np.uint8) for v, w in ((step, d), (low, dmin)))
    q = np.clip(np.rint(over(b + (dmin * m)[:, :, None], (d * s)[:, :, None])), 0, 15).astype(np.uint8)
    scales = np.concatenate([s[:, :4] | s[:, 4:] >> 4 << 6, m[:, :4] | m[:, 4:] >> 4 << 6, s[:, 4:] & 15 | (m[:, 4:] & 15) << 4], 1)
    q = q.reshape(-1, 4, 2, 32)
    bits = (q[:, :, 0] | q[:, :, 1] << 4).reshape(-1, 128)
    return np.concatenate([d.astype(np.float16).view(np.uint8), dmin.astype(np.float16).view(np.uint8), scales, bits], 1)


def pack_q6_k(x):
    """[n, 256]: 16 blocks of 16 with signed 8-bit scales, d * scale * (q - 32)"""
    b = x.reshape(-1, 16, 16)
    step = np.abs(b).max(2) / 31
    d = halves(step.max(1, keepdims=True) / 127)
    s = np.clip(np.rint(over(step, d)), 0, 127).astype(np.int8)
    q = (np.clip(np.rint(over(b, (d * s)[:, :, None])), -32, 31) + 32).astype(np.uint8).reshape(-1, 2, 4, 32)
    low = np.stack([q[:, :, 0] & 15 | (q[:, :, 2] & 15) << 4, q[:, :, 1] & 15 | (q[:, :, 3] & 15) << 4], 2).reshape(-1, 128)
    high = (q[:, :, 0] >> 4 | q[:, :, 1] >> 4 << 2 | q[:, :, 2] >> 4 << 4 | q[:, :, 3] >> 4 << 6).reshape(-1, 64)
    return np.concatenate([low, high, s.view(np.uint8), d.astype(np.float16).view(np.uint8)], 1)


def quantise(x, kind):
    pack = {Type.Q4_K: pack_q4_k, Type.Q6_K: pack_q6_k}.get(kind)
    if pack is None:
        return gguf.quants.quantize(x, kind)
    return pack(x.reshape(-1, 256).astype(np.float32)).reshape(len(x), -1)


# ---- files ----

def read(path):
    """values by name, as floats with rows last; the file's fields"""
    reader = gguf.GGUFReader(str(path))
    plain = (Type.F32, Type.F16)
    values = {t.name: np.asarray(t.data if t.tensor_type in plain else gguf.quants.dequantize(t.data, t.tensor_type), np.float32)
              .reshape([int(n) for n in t.shape][::-1]) for t in reader.tensors}
    return values, {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}


def write_projector(path, name, values, kind, fields):
    w = gguf.GGUFWriter(path, "clip")
    w.add_name(name)
    w.add_clip_has_vision_encoder(True)
    w.add_clip_projector_type("gemma3")
    w.add_vision_projection_dim(WIDTH)
    w.add_vision_image_size(fields["clip.vision.image_size"])
    w.add_vision_patch_size(fields["clip.vision.patch_size"])
    w.add_vision_embedding_length(values["v.post_ln.weight"].size)
    w.add_vision_feed_forward_length(values["v.blk.0.ffn_up.bias"].size)
    w.add_vision_block_count(sum(n.endswith("ln1.weight") for n in values))
    w.add_vision_head_count(fields["clip.vision.attention.head_count"])
    w.add_vision_attention_layernorm_eps(1e-6)
    w.add_vision_image_mean([0.5] * 3)
    w.add_vision_image_std([0.5] * 3)
    w.add_vision_use_gelu(True)
    for n, x in values.items():
        if x.ndim == 2 and n.startswith("v.blk."):
            w.add_tensor(n, quantise(x, kind), raw_dtype=kind)
        else:
            w.add_tensor(n, x.astype(np.float16) if n in ("mm.input_projection.weight", "v.patch_embd.weight") else x)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def wide_values():
    shapes = {"v.patch_embd.weight": (WIDE, 3, 14, 14), "v.patch_embd.bias": (WIDE,), "v.position_embd.weight": (256, WIDE)}
    for i in range(WIDE_BLOCKS):
        for n, out, inner in (("attn_q", WIDE, WIDE), ("attn_k", WIDE, WIDE), ("attn_v", WIDE, WIDE), ("attn_out", WIDE, WIDE),
                              ("ffn_up", WIDE_FFN, WIDE), ("ffn_down", WIDE, WIDE_FFN)):
            shapes[f"v.blk.{i}.{n}.weight"], shapes[f"v.blk.{i}.{n}.bias"] = (out, inner), (out,)
        for n in ("ln1", "ln2"):
            shapes[f"v.blk.{i}.{n}.weight"], shapes[f"v.blk.{i}.{n}.bias"] = (WIDE,), (WIDE,)
    shapes.update({"v.post_ln.weight": (WIDE,), "v.post_ln.bias": (WIDE,), "mm.soft_emb_norm.weight": (WIDE,),
                   "mm.input_projection.weight": (WIDE, WIDTH)})
    return {name: wide_value(name, shape) for name, shape in shapes.items()}


def wide_value(name, shape):
    x = np.random.default_rng([SEED, zlib.crc32(name.encode())]).standard_normal(shape)
    if name.endswith(".bias"):
        x = 0.2 * x
    elif len(shape) == 1:
        x = 1 + 0.25 * x
    elif "position" in name:
        x = 0.4 * x
    elif name == "mm.input_projection.weight":
        x = halves(3 * x / np.sqrt(shape[0]))
    else:
        x = 1.2 * x / np.sqrt(np.prod(shape[1:]))
        x = halves(x) if "patch" in name else x
    return x.astype(np.float32)


# ---- the original ----

def config(text, text_fields, vision, vision_fields):
    f = {name.removeprefix("gemma3."): value for name, value in text_fields.items()}
    n = f["block_count"]
    rope = {"full_attention": {"rope_type": "linear", "factor": f["rope.scaling.factor"], "rope_theta": f["rope.freq_base"]},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}
    decoder = dict(vocab_size=len(text["token_embd.weight"]), hidden_size=f["embedding_length"], intermediate_size=f["feed_forward_length"],
                   num_hidden_layers=n, num_attention_heads=f["attention.head_count"], num_key_value_heads=f["attention.head_count_kv"],
                   head_dim=f["attention.key_length"], query_pre_attn_scalar=f["attention.key_length"],
                   sliding_window=f["attention.sliding_window"],
                   layer_types=["full_attention" if (i + 1) % 6 == 0 else "sliding_attention" for i in range(n)], rope_parameters=rope,
                   rms_norm_eps=1e-6, max_position_embeddings=4096, bos_token_id=2, eos_token_id=1, pad_token_id=0)
    encoder = dict(hidden_size=vision["v.post_ln.weight"].size, intermediate_size=vision["v.blk.0.ffn_up.bias"].size,
                   num_hidden_layers=sum(name.endswith("ln1.weight") for name in vision), layer_norm_eps=1e-6,
                   num_attention_heads=vision_fields["clip.vision.attention.head_count"], hidden_act="gelu_pytorch_tanh",
                   image_size=vision_fields["clip.vision.image_size"], patch_size=vision_fields["clip.vision.patch_size"],
                   vision_use_head=False)
    return Gemma3Config(text_config=decoder, vision_config=encoder, mm_tokens_per_image=16, boi_token_index=28, eoi_token_index=29,
                        image_token_index=len(text["token_embd.weight"]) - 1, attn_implementation="eager")


def decoder_state(values):
    state = {}
    for name, x in values.items():
        if name == "token_embd.weight":
            state["embed_tokens.weight"] = x
        elif name == "output_norm.weight":
            state["norm.weight"] = x - 1
        else:
            _, i, rest, _ = name.split(".")
            state[f"layers.{i}.{TEXT_NAMES[rest]}.weight"] = x - 1 if "norm" in rest else x
    return state


def encoder_state(values):
    state = {}
    for name, x in values.items():
        stem, what = name.rsplit(".", 1)
        if name.startswith("v.blk."):
            _, _, i, rest = stem.split(".")
            state[f"encoder.layers.{i}.{VISION_NAMES[rest]}.{what}"] = x
        elif name.startswith("v."):
            state[f"{VISION_ENDS[stem]}.{what}"] = x
    return state


def load(module, state):
    missing, unexpected = module.load_state_dict({n: torch.from_numpy(np.array(x)) for n, x in state.items()}, strict=False)
    assert not unexpected and not [n for n in missing if not n.endswith("position_ids")], (missing, unexpected)


def build(text, text_fields, vision, vision_fields):
    model = Gemma3ForConditionalGeneration._from_config(config(text, text_fields, vision, vision_fields)).float().eval()
    load(model.model.language_model, decoder_state(text))
    tower = model.model.vision_tower
    load(getattr(tower, "vision_model", tower), encoder_state(vision))
    load(model.model.multi_modal_projector, {"mm_input_projection_weight": vision["mm.input_projection.weight"],
                                             "mm_soft_emb_norm.weight": vision["mm.soft_emb_norm.weight"] - 1})
    model.tie_weights()
    return model


def pixels(root, names):
    stored = [np.load(root / f"expected/gemma3/vision_{name}.npz")["pixel_values_u8"] for name in names]
    return torch.from_numpy(np.stack([(x.astype(np.float32) / 255 - 0.5) / 0.5 for x in stored]))


def soft_tokens(model, picture):
    with torch.no_grad():
        tower = model.model.vision_tower(pixel_values=picture).last_hidden_state
        return model.model.multi_modal_projector(tower)[0].numpy()


def last_logits(model, ids, pictures):
    ids = torch.tensor([ids])
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=pictures, token_type_ids=(ids == model.config.image_token_index).long(), use_cache=False)
    return out.logits[0, -1].numpy()


def answer(model, prompt, pictures, banned):
    ids, margins, first = list(map(int, prompt)), [], None
    for _ in range(N_GREEDY):
        logits = last_logits(model, ids, pictures)
        first = logits.copy() if first is None else first
        logits[banned] = -np.inf
        runner_up, best = np.sort(logits)[-2:]
        margins.append(best - runner_up)
        ids.append(int(logits.argmax()))
    return first, np.array(ids[len(prompt):], np.int32), np.array(margins, np.float32)


def check(root, text_path):
    """That this is the model of the kit: its own float values."""
    text, text_fields = read(text_path)
    vision, vision_fields = read(root / "models/gemma3-tiny/mmproj.gguf")
    model = build(text, text_fields, vision, vision_fields)
    for name, pictures in PROMPTS.items():
        z = np.load(root / f"expected/gemma3/{name}.npz")
        ours = last_logits(model, z["input_ids"].tolist(), pixels(root, pictures))
        rel = np.abs(ours - z["hf_logits"][-1]).max() / np.sqrt((z["hf_logits"][-1] ** 2).mean())
        assert rel < 1e-4, (name, rel)


def main(root):
    torch.set_num_threads(1)
    tiny = root / "models/gemma3-tiny"
    check(root, tiny / "text-f32.gguf")
    tiny_values, fields = read(tiny / "mmproj.gguf")
    (root / "models/gemma3-quantised").mkdir(exist_ok=True)
    vision_out, greedy_out = {}, {}
    for projector, kind in PROJECTORS.items():
        values = wide_values() if projector.startswith("wide") else tiny_values
        path = root / f"models/gemma3-quantised/mmproj-{projector}.gguf"
        write_projector(path, f"gemma3-random-{projector}", values, kind, fields)
        vision = read(path)[0]
        for text_type in TEXTS:
            text, text_fields = read(tiny / f"text-{text_type}.gguf")
            model = build(text, text_fields, vision, fields)
            for name, pictures in PROMPTS.items():
                z = np.load(root / f"expected/gemma3/{name}.npz")
                key = f"{name}.{text_type}.{projector}"
                first, greedy, margin = answer(model, z["input_ids"], pixels(root, pictures), z["greedy_banned_ids"])
                greedy_out.update({key + ".logits": first, key + ".greedy": greedy, key + ".margin": margin})
                print(key, "smallest margin", margin.min())
        plain = build(text, text_fields, values, fields)
        for picture in ("photo", "chart"):
            seen = pixels(root, [picture])
            exact, floats = soft_tokens(model, seen), soft_tokens(plain, seen)
            vision_out.update({f"{projector}_{picture}": exact, f"{projector}_{picture}_floats": floats})
            print(projector, picture, "lost by the type", np.abs(exact - floats).max() / np.sqrt((floats ** 2).mean()))
    np.savez_compressed(root / "expected/gemma3/vision_quantised.npz", **vision_out)
    np.savez_compressed(root / "expected/gemma3/greedy_quantised.npz", **greedy_out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
