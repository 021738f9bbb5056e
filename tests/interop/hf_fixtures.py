"""What Hugging Face's own code says, for the tests to compare with.

  hf_fixtures.py make FOLDER     tiny random LLaVA and CLAP folders, inputs and the outputs of every stage
  hf_fixtures.py open FOLDER     opens llava/ and clap/ in FOLDER, runs FOLDER/inputs.safetensors through them and
                                 writes FOLDER/outputs.safetensors; encodes FOLDER/texts.json to FOLDER/ids.json

Needs torch, transformers (4.40 is what the figures are from), tokenizers, safetensors, pillow, numpy.
"""
import json
import logging
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (CLIPImageProcessor, CLIPVisionConfig, ClapAudioConfig, ClapAudioModelWithProjection, ClapConfig,
                          ClapFeatureExtractor, ClapModel, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration,
                          PreTrainedTokenizerFast)

IMAGE, PAD = 62, 63

pillow_resize = Image.Image.resize


def resize_rows_first(image, size, resample=None, *rest, **named):
    """Pillow up to 12 resized along rows first, always; 13 picks the cheaper order, which rounds otherwise. Models were
    trained with the former, so that is what is compared with, whichever Pillow is installed."""
    return pillow_resize(pillow_resize(image, (size[0], image.height), resample), size, resample)


Image.Image.resize = resize_rows_first

TEXTS = ["", "a", " a", "a ", "  a  b   c ", "hello world", "USER: <image>\nWhat is this? ASSISTANT:", "<image>", "<image><image> x",
         "the cat sat on the mat", "line\n\nline\ttab", "\u00e9t\u00e9 na\u00efve \u6f22\u5b57 \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467", "</s>", "x</s> y <s>z", "<0x0A>",
         "numbers 1234567890", "\u2581under\u2581score", "aaaaaaaaaaaaaaa", "\u00a0nbsp \u3000wide", "emoji\ufe0f", "'quotes' \"double\" <unk>",
         "thethe the catcat sat", "\r\n", "null\x00byte"]
CORPUS = ["the cat sat on the mat and the dog sat on the log", "what is this? this is a cat", "hello world hello there",
          "USER: what colour is the circle ASSISTANT: blue", "numbers 12 34 56"] * 4


def randomize(model, scale=0.4):
    """Weights large enough that every part moves the output; the defaults leave tiny models nearly constant."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            noise = torch.randn(p.shape, generator=generator)
            if "norm" in name.lower() and name.endswith("weight"):
                p.copy_(1 + 0.2 * noise)
            else:
                p.copy_(scale * noise if p.dim() < 2 else noise * (1.0 / p[0].numel()) ** 0.5)
        for name, b in sorted(model.named_buffers()):
            if name.endswith("running_mean"):
                b.copy_(torch.randn(b.shape, generator=generator))
            if name.endswith("running_var"):
                b.copy_(0.5 + torch.rand(b.shape, generator=generator))
    return model.eval()


def pixels(batch, side):
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(1))


# ------------------------------------------------------------------------------------------------------------- LLaVA

VARIANTS = {
    "plain": {},
    "mha_full": {"text": {"num_key_value_heads": 4}, "top": {"vision_feature_select_strategy": "full", "vision_feature_layer": -1}},
    "linear_rope": {"text": {"rope_scaling": {"type": "linear", "factor": 4.0}, "rope_theta": 500.0, "attention_bias": True}},
    "gelu_vision": {"vision": {"hidden_act": "gelu"}, "shards": "40KB"},
}


def make_llava(folder, variant):
    text = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
                num_key_value_heads=2, rms_norm_eps=1e-5, max_position_embeddings=256)
    vision = dict(hidden_size=32, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4, image_size=28, patch_size=14)
    config = LlavaConfig(vision_config=CLIPVisionConfig(**{**vision, **variant.get("vision", {})}),
                         text_config=LlamaConfig(**{**text, **variant.get("text", {})}), image_token_index=IMAGE,
                         pad_token_id=PAD, **variant.get("top", {}))
    config._attn_implementation = "eager"
    model = randomize(LlavaForConditionalGeneration(config))
    extra = {"max_shard_size": variant["shards"]} if "shards" in variant else {}
    model.save_pretrained(folder, safe_serialization=True, **extra)
    return model


def run_llava(model, ids, valid, image):
    """Hidden states after each stage, for one batch whose ids hold one image token a row."""
    full = model.config.vision_feature_select_strategy == "full"
    states = model.vision_tower(image, output_hidden_states=True).hidden_states
    chosen = states[model.config.vision_feature_layer]
    features = model.multi_modal_projector(chosen if full else chosen[:, 1:])
    embeds = model.get_input_embeddings()(ids)
    # Merged here rather than by the model: 4.40's merge counts image tokens by itself and drops the last hidden states.
    rows = []
    for row in range(ids.shape[0]):
        at = int((ids[row] == model.config.image_token_index).nonzero()[0])
        rows.append(torch.cat([embeds[row, :at], features[row], embeds[row, at + 1:]]))
    grow = features.shape[1] - 1
    hidden = torch.stack(rows)
    mask = torch.stack([torch.cat([valid[row, :1].expand(grow), valid[row]]) if valid[row, 0] else
                        torch.cat([valid[row, :-1], valid[row, -1:].expand(grow + 1)]) for row in range(ids.shape[0])])
    position = (mask.cumsum(-1) - 1).clamp(min=0)
    out = model.language_model(inputs_embeds=hidden, attention_mask=mask.long(), position_ids=position, output_hidden_states=True)
    result = {"vision": chosen, "features": features, "hidden0": hidden, "logits": out.logits, "mask": mask.to(torch.uint8)}
    for layer, state in enumerate(out.hidden_states[1:-1]):
        result[f"hidden{layer + 1}"] = state
    return {name: tensor.detach().clone().contiguous() for name, tensor in result.items()}


def llava_inputs():
    left = torch.tensor([[1, 5, IMAGE, 7, 9, 11], [PAD, PAD, 1, IMAGE, 8, 4]])
    right = torch.tensor([[1, 5, IMAGE, 7, 9, 11], [1, IMAGE, 8, 4, PAD, PAD]])
    return {"left": left, "right": right}


def llava_outputs(model, prefix):
    out = {}
    side = model.config.vision_config.image_size
    for name, ids in llava_inputs().items():
        valid = ids != PAD
        for key, tensor in run_llava(model, ids, valid, pixels(2, side)).items():
            out[f"{prefix}.{name}.{key}"] = tensor
        out[f"{prefix}.{name}.ids"] = ids
    out[f"{prefix}.pixels"] = pixels(2, side)
    return out


def generate_llava(model, beams=1):
    """Greedy text, or that of a beam search, by transformers' own merging and cache, one row at a time, so that no padding is involved."""
    answers = []
    for ids in ([1, 5, IMAGE, 7, 9, 11], [1, IMAGE, 8, 4]):
        out = model.generate(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                             pixel_values=pixels(1, model.config.vision_config.image_size), max_new_tokens=6,
                             num_beams=beams, do_sample=False, eos_token_id=2, pad_token_id=PAD)
        said = out[0, len(ids):].tolist()
        answers.append(said[:said.index(2)] if 2 in said else said)
    return answers


# -------------------------------------------------------------------------------------------------------------- CLAP

CLAPS = {
    "tiny": dict(window_size=4, num_mel_bins=16, spec_size=64, patch_size=4, patch_stride=[4, 4], patch_embeds_hidden_size=8,
                 depths=[2, 2], num_attention_heads=[2, 4], hidden_size=16),
    "overlap": dict(window_size=4, num_mel_bins=16, spec_size=64, patch_size=6, patch_stride=[4, 4], patch_embeds_hidden_size=8,
                    depths=[2, 3], num_attention_heads=[2, 4], hidden_size=16, qkv_bias=False, enable_patch_layer_norm=False,
                    mlp_ratio=2.0),
}


def make_clap(folder, audio):
    config = ClapConfig(audio_config={**audio, "projection_dim": 12}, projection_dim=12,
                        text_config=dict(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8))
    model = randomize(ClapModel(config))
    model.save_pretrained(folder, safe_serialization=True)
    return ClapAudioModelWithProjection.from_pretrained(folder).eval()


def clap_outputs(model, prefix):
    mel = torch.randn(2, 1, 250, 16, generator=torch.Generator().manual_seed(2)) * 3
    out = model(input_features=mel)
    last = out.last_hidden_state  # [B, C, rows of one piece of time, frames]
    return {f"{prefix}.mel": mel, f"{prefix}.pooled": out.audio_embeds.detach(),
            f"{prefix}.mean": last.detach().mean((2, 3)).contiguous()}


# --------------------------------------------------------------------------------------------- tokenizer and features

def make_tokenizer(kind):
    space = "\u2581"
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if kind == "legacy":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(space), normalizers.Replace(" ", space)])
        split = pre_tokenizers.Metaspace(replacement=space, prepend_scheme="always")
    else:
        split = pre_tokenizers.Metaspace(replacement=space, prepend_scheme=kind)
    tokenizer.pre_tokenizer = split
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=340, special_tokens=specials, show_progress=False))
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["id"] < 3]
    if kind == "legacy":
        state["pre_tokenizer"] = None
    if kind == "first":
        state["pre_tokenizer"]["split"] = False
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.decoder = decoders.Sequence([decoders.Replace(space, " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False), AddedToken("<pad>", normalized=False)])
    return tokenizer


def encodings(tokenizer, texts):
    rows = []
    for text in texts:
        ids = tokenizer.encode(text).ids
        rows.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
    return rows


def pictures():
    rng = np.random.default_rng(3)
    smooth = (np.add.outer(np.arange(71) * 3, np.arange(53) * 2)[:, :, None] * np.array([1, 2, 3]) % 256).astype(np.uint8)
    return {"noise_wide": rng.integers(0, 256, (40, 97, 3), dtype=np.uint8), "noise_tall": rng.integers(0, 256, (90, 31, 3), dtype=np.uint8),
            "small": rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), "smooth": smooth, "exact": rng.integers(0, 256, (28, 28, 3), dtype=np.uint8)}


def image_outputs(folder):
    processor = CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    processor.save_pretrained(folder)
    out = {}
    for name, picture in pictures().items():
        out[f"image.{name}"] = torch.from_numpy(picture.copy())
        out[f"pixels.{name}"] = processor(Image.fromarray(picture), return_tensors="pt")["pixel_values"][0]
        out[f"resized.{name}"] = torch.from_numpy(np.array(Image.fromarray(picture).resize((23, 45), Image.BICUBIC)))
    return out


def audio_outputs(folder):
    extractor = ClapFeatureExtractor(truncation="rand_trunc", frequency_min=50)
    extractor.save_pretrained(folder)
    rng = np.random.default_rng(4)
    waves = {"short": rng.normal(0, 0.1, 130000), "exact": rng.normal(0, 0.3, 480000),
             "silent_end": np.concatenate([np.sin(np.arange(200000) * 0.05), np.zeros(100000)]), "one": np.array([0.5])}
    out = {}
    for name, wave in waves.items():
        wave = wave.astype(np.float32)
        mel = extractor(wave, sampling_rate=48000, return_tensors="pt")["input_features"][0]
        out[f"wave.{name}"] = torch.from_numpy(wave)
        out[f"mel.{name}"] = mel.to(torch.float32).contiguous()
    return out


# --------------------------------------------------------------------------------------------------------------------

def make(root):
    tensors, answers, beam_answers = {}, {}, {}
    for name, variant in VARIANTS.items():
        model = make_llava(root / f"llava_{name}", variant)
        tensors.update(llava_outputs(model, name))
        answers[name] = generate_llava(model)
        beam_answers[name] = generate_llava(model, beams=4)
    for name, audio in CLAPS.items():
        tensors.update(clap_outputs(make_clap(root / f"clap_{name}", audio), f"clap_{name}"))
    tensors.update(image_outputs(root / "image"))
    tensors.update(audio_outputs(root / "audio"))
    texts = {}
    for kind in ("legacy", "first", "always", "never"):
        tokenizer = make_tokenizer(kind)
        (root / f"tokenizer_{kind}").mkdir(exist_ok=True)
        tokenizer.save(str(root / f"tokenizer_{kind}" / "tokenizer.json"))
        texts[kind] = encodings(tokenizer, TEXTS)
    (root / "answers.json").write_text(json.dumps(answers))
    (root / "beam_answers.json").write_text(json.dumps(beam_answers))
    (root / "texts.json").write_text(json.dumps(texts))
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, root / "expected.safetensors")


def open_ours(root):
    llava, report = LlavaForConditionalGeneration.from_pretrained(root / "llava", output_loading_info=True,
                                                                  attn_implementation="eager")
    clap, clap_report = ClapAudioModelWithProjection.from_pretrained(root / "clap", output_loading_info=True)
    for name, loading in (("llava", report), ("clap", clap_report)):
        problems = loading["missing_keys"] or loading["unexpected_keys"] or loading["mismatched_keys"]
        if problems:
            sys.exit(f"{name}: {loading}")
    inputs = load_file(root / "inputs.safetensors")
    ids = inputs["ids"]
    out = run_llava(llava.eval(), ids, ids != llava.config.pad_token_id, inputs["pixels"])
    clap_out = clap.eval()(input_features=inputs["mel"])
    save_file({"logits": out["logits"], "pooled": clap_out.audio_embeds.detach().contiguous()}, root / "outputs.safetensors")
    CLIPImageProcessor.from_pretrained(root / "llava")
    ClapFeatureExtractor.from_pretrained(root / "clap")
    fast = PreTrainedTokenizerFast.from_pretrained(root / "llava")
    texts = json.loads((root / "texts.json").read_text())
    rows = [{"ids": fast(text)["input_ids"], "decoded": fast.decode(fast(text)["input_ids"], skip_special_tokens=True)} for text in texts]
    (root / "ids.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    {"make": make, "open": open_ours}[sys.argv[1]](Path(sys.argv[2]))
