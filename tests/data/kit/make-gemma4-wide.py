#!/usr/bin/env python3
"""Tiny random-weight models of the larger Gemma 4 kinds, which the rest of the kit lacks, and what transformers computes
with them in float32: `dense` (no per-layer embeddings; values are the keys before norm and rotation in full layers) and
`moe` (the same with a mixture of experts beside the feed-forward part).

  python make-gemma4-wide.py DIRECTORY     needs torch, transformers >= 5.24 and gguf

Writes models/gemma4-KIND-tiny/text-{f32,q8_0,q4_0}.gguf and expected/gemma4-KIND/text.npz below DIRECTORY. The float file
of `moe` holds each expert's gate and up rows in one tensor, as the converter writes them, the quantised ones hold two tensors.
Weights depend on the seed, the name and the shape of a parameter only. There is no vocabulary: prompts are ids.
"""
import sys
import zlib
from pathlib import Path
import gguf
import numpy as np
import torch
from transformers import Gemma4ForCausalLM, Gemma4TextConfig

SEED = 20261125
N_TOKENS, N_GREEDY = 45, 16
ROPE = {"sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1e6}}
COMMON = dict(vocab_size=320, hidden_size=96, num_hidden_layers=5, num_attention_heads=4, num_key_value_heads=2,
              num_global_key_value_heads=1, head_dim=16, global_head_dim=32, sliding_window=10, num_kv_shared_layers=0,
              hidden_size_per_layer_input=0, attention_k_eq_v=True, max_position_embeddings=4096, rms_norm_eps=1e-6,
              final_logit_softcapping=30.0, use_bidirectional_attention="vision", rope_parameters=ROPE, pad_token_id=0,
              bos_token_id=2, eos_token_id=1, tie_word_embeddings=True,
              layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention", "full_attention"])
KINDS = {
    "dense": dict(COMMON, intermediate_size=128),
    "moe": dict(COMMON, intermediate_size=64, enable_moe_block=True, num_experts=12, top_k_experts=3,
                moe_intermediate_size=32),
}
NAMES = {
    "self_attn.q_proj.weight": "attn_q.weight", "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight", "self_attn.o_proj.weight": "attn_output.weight",
    "self_attn.q_norm.weight": "attn_q_norm.weight", "self_attn.k_norm.weight": "attn_k_norm.weight",
    "input_layernorm.weight": "attn_norm.weight", "post_attention_layernorm.weight": "post_attention_norm.weight",
    "pre_feedforward_layernorm.weight": "ffn_norm.weight", "post_feedforward_layernorm.weight": "post_ffw_norm.weight",
    "pre_feedforward_layernorm_2.weight": "pre_ffw_norm_2.weight",
    "post_feedforward_layernorm_1.weight": "post_ffw_norm_1.weight",
    "post_feedforward_layernorm_2.weight": "post_ffw_norm_2.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight", "mlp.up_proj.weight": "ffn_up.weight", "mlp.down_proj.weight": "ffn_down.weight",
    "router.proj.weight": "ffn_gate_inp.weight", "router.scale": "ffn_gate_inp.scale",
    "router.per_expert_scale": "ffn_down_exps.scale", "experts.gate_up_proj": "ffn_gate_up_exps.weight",
    "experts.down_proj": "ffn_down_exps.weight", "layer_scalar": "layer_output_scale.weight",
}


def value(name, shape):
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    x = rng.standard_normal(shape)
    if name.endswith("layer_scalar"):
        return rng.uniform(0.7, 1.15, shape)
    if name == "model.norm.weight":
        return 1.6 * x
    if name.endswith(("q_norm.weight", "k_norm.weight")):
        return 0.6 + 0.1 * x
    if name.endswith("per_expert_scale"):
        return rng.uniform(0.5, 1.5, shape)
    if name.endswith("router.scale"):
        return 1 + 0.25 * x
    if name.endswith("router.proj.weight"):
        return 1.5 * x
    if "norm" in name:
        return 1 + 0.25 * x
    if "embed_tokens" in name:
        return 0.2 * x
    return 1.2 * x / np.sqrt(shape[-1])


def build(kind):
    model = Gemma4ForCausalLM._from_config(Gemma4TextConfig(**KINDS[kind]), attn_implementation="eager").float().eval()
    tensors = {}
    with torch.no_grad():
        for name, t in model.state_dict().items():
            if name == "lm_head.weight" or not t.is_floating_point():
                continue
            t.copy_(torch.from_numpy(value(name, tuple(t.shape)).astype(np.float32)))
            tensors[name] = t.numpy()
    return model, tensors


def gguf_tensors(tensors, fused):
    out = {"rope_freqs.weight": np.array([1.0] * 4 + [1e30] * 12, np.float32)}
    for name, t in tensors.items():
        if name == "model.embed_tokens.weight":
            out["token_embd.weight"] = t
        elif name == "model.norm.weight":
            out["output_norm.weight"] = t
        else:
            _, _, layer, rest = name.split(".", 3)
            new = f"blk.{layer}.{NAMES[rest]}"
            if rest == "experts.gate_up_proj" and not fused:
                half = t.shape[1] // 2
                out[new.replace("gate_up", "gate")], out[new.replace("gate_up", "up")] = t[:, :half], t[:, half:]
            else:
                out[new] = t
    return out


def write(path, cfg, tensors, quant):
    w = gguf.GGUFWriter(path, "gemma4")
    swa = [t == "sliding_attention" for t in cfg["layer_types"]]
    w.add_context_length(4096)
    w.add_embedding_length(cfg["hidden_size"])
    w.add_block_count(cfg["num_hidden_layers"])
    w.add_feed_forward_length(cfg["intermediate_size"])
    w.add_head_count(cfg["num_attention_heads"])
    w.add_head_count_kv([cfg["num_key_value_heads"] if s else cfg["num_global_key_value_heads"] for s in swa])
    w.add_layer_norm_rms_eps(1e-6)
    w.add_sliding_window(cfg["sliding_window"])
    w.add_sliding_window_pattern(swa)
    w.add_shared_kv_layers(0)
    w.add_embedding_length_per_layer_input(0)
    for key, head in (("key_length", cfg["global_head_dim"]), ("value_length", cfg["global_head_dim"]),
                      ("key_length_swa", cfg["head_dim"]), ("value_length_swa", cfg["head_dim"])):
        w.add_uint32("gemma4.attention." + key, head)
    w.add_uint32("gemma4.rope.dimension_count", cfg["global_head_dim"])
    w.add_uint32("gemma4.rope.dimension_count_swa", cfg["head_dim"])
    w.add_rope_freq_base(1e6)
    w.add_float32("gemma4.rope.freq_base_swa", 1e4)
    w.add_final_logit_softcapping(30.0)
    if "num_experts" in cfg:
        w.add_expert_count(cfg["num_experts"])
        w.add_expert_used_count(cfg["top_k_experts"])
        w.add_expert_feed_forward_length(cfg["moe_intermediate_size"])
    for name, t in sorted(tensors.items()):
        if quant is None or t.ndim < 2 or "gate_inp" in name:
            w.add_tensor(name, np.ascontiguousarray(t, np.float32))
        else:
            w.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(t, np.float32), quant), raw_dtype=quant)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def run(model, ids):
    with torch.no_grad():
        out = model(input_ids=torch.tensor([ids]), output_hidden_states=True, use_cache=False)
    return out


def layers(model, ids):
    """the residual stream after each block"""
    seen = []
    hooks = [b.register_forward_hook(lambda m, i, o: seen.append((o[0] if isinstance(o, tuple) else o)[0].numpy().copy()))
             for b in model.model.layers]
    out = run(model, ids)
    for h in hooks:
        h.remove()
    return np.stack(seen), out.logits[0].numpy()


def dequantised(kind, quant):
    """the model with the weights of the quantised file"""
    model, tensors = build(kind)
    with torch.no_grad():
        for name, t in model.state_dict().items():
            if name in tensors and t.ndim >= 2 and "router" not in name:
                q = gguf.quants.quantize(t.numpy(), quant)
                t.copy_(torch.from_numpy(gguf.quants.dequantize(q, quant).reshape(t.shape)))
    return model


def main(root):
    torch.set_num_threads(1)
    quants = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_0": gguf.GGMLQuantizationType.Q4_0}
    for kind, cfg in KINDS.items():
        model, tensors = build(kind)
        models, expected = root / "models" / f"gemma4-{kind}-tiny", root / "expected" / f"gemma4-{kind}"
        models.mkdir(parents=True, exist_ok=True)
        expected.mkdir(parents=True, exist_ok=True)
        write(models / "text-f32.gguf", cfg, gguf_tensors(tensors, True), None)
        ids = [2] + np.random.default_rng(SEED).integers(3, cfg["vocab_size"], N_TOKENS - 1).tolist()
        hidden, logits = layers(model, ids)
        out = {"input_ids": np.array(ids, np.int32), "spans": np.zeros((0, 2), np.int32), "pos": np.arange(N_TOKENS, dtype=np.int32),
               "hf_inputs_embeds": model.model.embed_tokens(torch.tensor(ids)).detach().numpy(), "hf_hidden": hidden, "hf_logits": logits}
        greedy, margin, grown = [], [], list(ids)
        for _ in range(N_GREEDY):
            top = torch.topk(run(model, grown).logits[0, -1], 2)
            greedy.append(int(top.indices[0]))
            margin.append(float(top.values[0] - top.values[1]))
            grown.append(greedy[-1])
        out.update(hf_greedy=np.array(greedy, np.int32), hf_greedy_margin=np.array(margin, np.float32))
        for name, quant in quants.items():
            write(models / f"text-{name}.gguf", cfg, gguf_tensors(tensors, False), quant)
            out[f"hf_logits_{name}_dequantised"] = layers(dequantised(kind, quant), ids)[1][-12:]
        np.savez_compressed(expected / "text.npz", **out)
        print(kind, "hidden rms", np.sqrt((hidden ** 2).mean((1, 2))), "margin", min(margin))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
