#!/usr/bin/env python3
"""Writes a LLaVA-1.5 folder with random weights, as Hugging Face stores it: shards of bfloat16.

    random_llava.py FOLDER small|7b|13b

small: 0.27 B parameters, 16 layers of width 1024 and 576 image positions, for tests/bench/kl_step.py.
7b, 13b: the true shapes, 14 and 26 GB. Weights repeat one block of random numbers, so that writing them takes as
long as the disk does; nobody who multiplies them can tell.
"""
import json
import os
import sys

import torch
from safetensors.torch import save_file

SHAPES = {
    "small": dict(hidden=1024, intermediate=2752, layers=16, heads=16, vision_layers=2),
    "7b": dict(hidden=4096, intermediate=11008, layers=32, heads=32, vision_layers=24),
    "13b": dict(hidden=5120, intermediate=13824, layers=40, heads=40, vision_layers=24),
}
VOCABULARY, IMAGE_TOKEN, PAD_TOKEN = 32064, 32000, 32001
SHARD_BYTES = 4 << 30


def config_of(shape):
    return {
        "architectures": ["LlavaForConditionalGeneration"], "model_type": "llava", "torch_dtype": "bfloat16",
        "image_token_index": IMAGE_TOKEN, "pad_token_id": PAD_TOKEN, "ignore_index": -100,
        "projector_hidden_act": "gelu", "vision_feature_layer": -2, "vision_feature_select_strategy": "default",
        "tie_word_embeddings": False,
        "text_config": {"model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": shape["hidden"],
                        "intermediate_size": shape["intermediate"], "num_hidden_layers": shape["layers"],
                        "num_attention_heads": shape["heads"], "num_key_value_heads": shape["heads"],
                        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5},
        "vision_config": {"model_type": "clip_vision_model", "hidden_size": 1024, "intermediate_size": 4096,
                          "num_hidden_layers": shape["vision_layers"], "num_attention_heads": 16, "image_size": 336,
                          "patch_size": 14, "projection_dim": 768, "vocab_size": 32000},
    }


def tensors_of(shape):
    hidden, wide = shape["hidden"], shape["intermediate"]
    text, vision = "language_model.model.", "vision_tower.vision_model."
    yield text + "embed_tokens.weight", (VOCABULARY, hidden)
    for i in range(shape["layers"]):
        layer = f"{text}layers.{i}."
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            yield f"{layer}self_attn.{name}.weight", (hidden, hidden)
        for name in ("gate_proj", "up_proj"):
            yield f"{layer}mlp.{name}.weight", (wide, hidden)
        yield layer + "mlp.down_proj.weight", (hidden, wide)
        yield layer + "input_layernorm.weight", (hidden,)
        yield layer + "post_attention_layernorm.weight", (hidden,)
    yield text + "norm.weight", (hidden,)
    yield "language_model.lm_head.weight", (VOCABULARY, hidden)
    yield "multi_modal_projector.linear_1.weight", (hidden, 1024)
    yield "multi_modal_projector.linear_1.bias", (hidden,)
    yield "multi_modal_projector.linear_2.weight", (hidden, hidden)
    yield "multi_modal_projector.linear_2.bias", (hidden,)
    yield vision + "embeddings.class_embedding", (1024,)
    yield vision + "embeddings.patch_embedding.weight", (1024, 3, 14, 14)
    yield vision + "embeddings.position_embedding.weight", (577, 1024)
    norms = ["pre_layrnorm", "post_layernorm"]
    for i in range(shape["vision_layers"]):
        layer = f"encoder.layers.{i}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield f"{vision}{layer}self_attn.{name}.weight", (1024, 1024)
            yield f"{vision}{layer}self_attn.{name}.bias", (1024,)
        yield f"{vision}{layer}mlp.fc1.weight", (4096, 1024)
        yield f"{vision}{layer}mlp.fc1.bias", (4096,)
        yield f"{vision}{layer}mlp.fc2.weight", (1024, 4096)
        yield f"{vision}{layer}mlp.fc2.bias", (1024,)
        norms += [layer + "layer_norm1", layer + "layer_norm2"]
    for name in norms:
        yield f"{vision}{name}.weight", (1024,)
        yield f"{vision}{name}.bias", (1024,)


def weight_of(name, shape, block, number):
    if name.endswith("norm.weight") or "norm" in name and name.endswith("weight"):
        return torch.ones(shape, dtype=torch.bfloat16)
    if name.endswith(".bias"):
        return torch.zeros(shape, dtype=torch.bfloat16)
    count = 1
    for side in shape:
        count *= side
    fan_in = count // shape[0] if len(shape) > 1 else 1024
    # Powers of two change no digit of a bfloat16.
    scale = 2.0 ** -6 if "embed" in name else 2.0 ** round(-0.5 * torch.tensor(float(fan_in)).log2().item())
    start = number * 7919 % 100003
    times = -(-(count + start) // block.numel())
    return (block.repeat(times)[start:start + count] * scale).reshape(shape).contiguous()


def main():
    folder, shape = sys.argv[1], SHAPES[sys.argv[2]]
    os.makedirs(folder, exist_ok=True)
    block = torch.randn(1 << 24, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    shards, weight_map, shard, used, total = 0, {}, {}, 0, 0

    def flush():
        nonlocal shards, shard, used
        if not shard:
            return
        shards += 1
        name = f"model-{shards:05d}.safetensors"
        save_file(shard, os.path.join(folder, name), metadata={"format": "pt"})
        weight_map.update({key: name for key in shard})
        shard, used = {}, 0

    for number, (name, size) in enumerate(tensors_of(shape)):
        shard[name] = weight_of(name, size, block, number)
        used += shard[name].numel() * 2
        total += shard[name].numel() * 2
        if used > SHARD_BYTES:
            flush()
    flush()
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, file)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config_of(shape), file, indent=2)
    print(f"{folder}: {total / 1e9:.1f} GB in {shards} shards")


if __name__ == "__main__":
    main()
