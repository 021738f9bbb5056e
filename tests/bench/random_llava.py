#!/usr/bin/env python3
"""Writes a LLaVA-1.5 folder with random weights, as Hugging Face stores it: shards of bfloat16, tensor by tensor.

    random_llava.py FOLDER tiny|small|7b|13b [MODEL]

small: 0.3 B parameters, 16 layers of width 1024 and 576 image positions, for tests/bench/kl_step.py.
7b, 13b: the true shapes, 14 and 26 GB. tiny: 0.03 B of them, to try a command with.
MODEL: a folder whose tokenizer.json and image token the new one gets, a tiny base's for instance; with it the folder can
be the --base of a run. Weights repeat one block of random numbers, so that writing them takes as long as the disk
does; nobody who multiplies them can tell.
"""
import array
import json
import os
import random
import shutil
import struct
import sys

SHAPES = {
    "tiny": dict(hidden=256, intermediate=512, layers=8, heads=4, vision_layers=2),
    "small": dict(hidden=1024, intermediate=2752, layers=16, heads=16, vision_layers=2),
    "7b": dict(hidden=4096, intermediate=11008, layers=32, heads=32, vision_layers=24),
    "13b": dict(hidden=5120, intermediate=13824, layers=40, heads=40, vision_layers=24),
}
VOCABULARY, IMAGE_TOKEN, PAD_TOKEN = 32064, 32000, 32001
SHARD_BYTES = 4 << 30
BLOCK = 1048583  # a prime: no two rows of a matrix begin alike


def config_of(shape, tokens):
    return {
        "architectures": ["LlavaForConditionalGeneration"], "model_type": "llava", "torch_dtype": "bfloat16",
        "image_token_index": tokens["<image>"], "pad_token_id": tokens["<pad>"], "ignore_index": -100,
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


def power_of(name, size):
    """The weight's standard deviation is 2 to this; a power of two changes no digit of a bfloat16."""
    count = 1
    for side in size[1:]:
        count *= side
    return -6 if "embed" in name else -round((count.bit_length() - 1) / 2)


class Weights:
    """Bytes of one tensor after the other."""

    def __init__(self):
        draw = random.Random(1)
        self.normal = [draw.gauss(0, 1) for _ in range(BLOCK)]
        self.blocks = {}

    def block(self, power):
        """The same numbers times 2 to `power`, twice, so that a piece may begin anywhere."""
        if power not in self.blocks:
            wide = array.array("f", (x * 2.0 ** power for x in self.normal))
            halves = array.array("H", wide.tobytes())[1::2]  # the upper half of a float32 is a bfloat16
            self.blocks[power] = memoryview((halves + halves).tobytes())
        return self.blocks[power]

    def pieces(self, name, size, number):
        count = 1
        for side in size:
            count *= side
        if name.endswith("norm.weight") or "norm" in name and name.endswith("weight"):
            yield struct.pack("<H", 0x3F80) * count
        elif name.endswith(".bias"):
            yield bytes(2 * count)
        else:
            block, start = self.block(power_of(name, size)), number * 7919 % 100003
            while count > 0:
                some = min(count, BLOCK)
                yield block[2 * start:2 * (start + some)]
                count -= some


def bytes_of(size):
    total = 2
    for side in size:
        total *= side
    return total


def write_shard(path, tensors, weights):
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for _, name, size in tensors:
        header[name] = {"dtype": "BF16", "shape": list(size), "data_offsets": [end, end + bytes_of(size)]}
        end += bytes_of(size)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for number, name, size in tensors:
            for piece in weights.pieces(name, size, number):
                file.write(piece)
    return end


def shards_of(shape):
    shard, used = [], 0
    for number, (name, size) in enumerate(tensors_of(shape)):
        if shard and used + bytes_of(size) > SHARD_BYTES:
            yield shard
            shard, used = [], 0
        shard.append((number, name, size))
        used += bytes_of(size)
    yield shard


def take_tokenizer(folder, model):
    with open(os.path.join(model, "config.json")) as file:
        config = json.load(file)
    shutil.copy(os.path.join(model, "tokenizer.json"), folder)
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as file:
        json.dump({"image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"shortest_edge": 336},
                   "resample": 3, "do_center_crop": True, "crop_size": {"height": 336, "width": 336},
                   "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
                   "image_mean": [0.48145466, 0.4578275, 0.40821073],
                   "image_std": [0.26862954, 0.26130258, 0.27577711], "do_convert_rgb": True}, file, indent=2)
    return {"<image>": config["image_token_index"], "<pad>": config["pad_token_id"]}


def main():
    folder, shape = sys.argv[1], SHAPES[sys.argv[2]]
    os.makedirs(folder, exist_ok=True)
    tokens = {"<image>": IMAGE_TOKEN, "<pad>": PAD_TOKEN}
    if len(sys.argv) > 3:
        tokens = take_tokenizer(folder, sys.argv[3])
    weights, weight_map, total = Weights(), {}, 0
    for number, shard in enumerate(shards_of(shape), 1):
        name = f"model-{number:05d}.safetensors"
        total += write_shard(os.path.join(folder, name), shard, weights)
        weight_map.update({key: name for _, key, _ in shard})
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, file)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config_of(shape, tokens), file, indent=2)
    print(f"{folder}: {total / 2e9:.2f} B parameters, {total / 1e9:.1f} GB, {len(set(weight_map.values()))} shards")


if __name__ == "__main__":
    main()
