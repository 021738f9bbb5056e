"""Model folders as people have them: saved by the transformers that runs this, with its outputs to compare with.

  model_folders.py tokenizer FOLDER          a 32k vocabulary of LLaMA's kind (of mistral-common), as tokenizer.json
  model_folders.py make FOLDER TOKENIZER [NAME...]  models/NAME in FOLDER and expected.json; TOKENIZER is that folder;
                                             without names all of them
  model_folders.py texts FILE TOKENIZER N    N texts, one line of JSON each: how transformers encodes and decodes them
  model_folders.py check FOLDER PROGRAM      runs `PROGRAM inspect` on each model and prints a table; exit code 1 where
                                             one differs

The configurations are the published ones (layers, heads, vocabulary, pictures, spectrograms); widths are narrow and
weights random. tokenizer needs transformers 4.4x or 4.5x, sentencepiece and mistral-common; the others transformers
(4.40, 4.57 and 5.24 were tried), torch, pillow, numpy, safetensors.
"""
import importlib.util
import inspect
import json
import logging
import shutil
import subprocess
import sys
import wave
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np

QUESTIONS = ["What colour is the circle?", "How many  dogs\nare there? \u6f22\u5b57 \U0001f600"]
ANSWER = "a red circle"
TOKENS = 6
RATE = 48000

TEXT = dict(vocab_size=32064, max_position_embeddings=4096, rms_norm_eps=1e-5)
VISION = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=24, num_attention_heads=16, image_size=336, patch_size=14,
              projection_dim=32)
# name: text configuration, stored type, shards
LLAVAS = {
    "llava-1.5-7b": (dict(TEXT, hidden_size=128, intermediate_size=176, num_hidden_layers=32, num_attention_heads=32,
                          num_key_value_heads=32), "float16", 3),
    "llava-1.5-13b": (dict(TEXT, hidden_size=160, intermediate_size=224, num_hidden_layers=40, num_attention_heads=40,
                           num_key_value_heads=40), "bfloat16", 6),
    "bakllava-mistral": (dict(TEXT, hidden_size=128, intermediate_size=224, num_hidden_layers=32, num_attention_heads=32,
                              num_key_value_heads=8, sliding_window=4096, max_position_embeddings=32768), "float16", 3),
}
CLAP = dict(num_attention_heads=[4, 8, 16, 32], num_mel_bins=64, spec_size=256, patch_stride=[4, 4], window_size=8)
CLAPS = {
    "clap-htsat-unfused": (dict(CLAP, depths=[2, 2, 6, 2], patch_embeds_hidden_size=16, hidden_size=128), "rand_trunc"),
    "clap-htsat-fused": (dict(CLAP, depths=[2, 2, 6, 2], patch_embeds_hidden_size=16, hidden_size=128, enable_fusion=True), "fusion"),
    "larger_clap_general": (dict(CLAP, depths=[2, 2, 12, 2], patch_embeds_hidden_size=32, hidden_size=256), "rand_trunc"),
    "larger_clap_music_and_speech": (dict(CLAP, depths=[2, 2, 12, 2], patch_embeds_hidden_size=24, hidden_size=192), "rand_trunc"),
}
CLIPS = {"short": 2.5, "exact": 10.0, "long": 13.7}  # seconds


def make_tokenizer(folder):
    from transformers import AddedToken, LlamaTokenizerFast
    folder.mkdir(parents=True, exist_ok=True)
    # Found without being imported: nothing of it is wanted but the file.
    source = Path(importlib.util.find_spec("mistral_common").origin).parent / "data" / "tokenizer.model.v1"
    tokenizer = LlamaTokenizerFast(vocab_file=str(source), legacy=True, add_prefix_space=True, from_slow=True)
    tokenizer.add_tokens([AddedToken("<image>", special=True, normalized=False)], special_tokens=True)
    tokenizer.add_special_tokens({"pad_token": AddedToken("<pad>", special=True, normalized=False)})
    tokenizer.save_pretrained(folder)


def randomize(model, seed=7):
    """Weights large enough that every part moves the output, and that all stored types hold."""
    import torch
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            noise = torch.randn(p.shape, generator=generator)
            if "norm" in name.lower() and name.endswith("weight"):
                p.copy_(1 + 0.1 * noise)
            elif "embed_tokens" in name:
                p.copy_(noise)
            else:
                p.copy_(0.1 * noise if p.dim() < 2 else noise * (1.0 / p[0].numel()) ** 0.5)
            p.copy_(p.to(torch.bfloat16))
        for name, b in sorted(model.named_buffers()):
            if name.endswith("running_mean"):
                b.copy_(torch.randn(b.shape, generator=generator).to(torch.bfloat16))
            if name.endswith("running_var"):
                b.copy_((0.5 + torch.rand(b.shape, generator=generator)).to(torch.bfloat16))
    return model.eval()


def accepted(function, **values):
    """Those of `values` that this version's `function` takes."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in values.items() if name in known}


def picture():
    y, x = np.mgrid[0:300, 0:451]
    return np.stack([x * 255 // 450, y * 255 // 299, (x * 3 + y * 5) % 256], -1).astype(np.uint8)


def sound(seconds):
    t = np.arange(int(seconds * RATE)) / RATE
    rng = np.random.default_rng(3)
    samples = 0.4 * np.sin(2 * np.pi * (300 + 120 * t) * t) + rng.normal(0, 0.02, t.shape)
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")


def write_inputs(folder):
    from PIL import Image
    Image.fromarray(picture()).save(folder / "picture.png")
    for name, seconds in CLIPS.items():
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
            file.writeframes(sound(seconds).tobytes())


def prompt_of(question):
    return f"USER: <image>\nAnswer in one word or a number. Question: {question} ASSISTANT:"


def make_llava(folder, name, tokenizer_folder):
    import torch
    from transformers import (CLIPImageProcessor, CLIPVisionConfig, LlamaConfig, LlamaTokenizerFast, LlavaConfig,
                              LlavaForConditionalGeneration, LlavaProcessor, MistralConfig)
    text, dtype, shards = LLAVAS[name]
    kind = MistralConfig if "mistral" in name else LlamaConfig
    config = LlavaConfig(vision_config=CLIPVisionConfig(**VISION), text_config=kind(**text), image_token_index=32000,
                         pad_token_id=32001, vocab_size=32064)
    config._attn_implementation = "eager"
    model = randomize(LlavaForConditionalGeneration(config))
    tokenizer = LlamaTokenizerFast.from_pretrained(tokenizer_folder)
    images = CLIPImageProcessor(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    processor = LlavaProcessor(image_processor=images, tokenizer=tokenizer,
                               **accepted(LlavaProcessor.__init__, patch_size=14, vision_feature_select_strategy="default",
                                          num_additional_image_tokens=1))
    size = sum(p.numel() for p in model.parameters()) * 2
    stored = model.to(getattr(torch, dtype))
    stored.save_pretrained(folder, max_shard_size=f"{size // shards // 1000 + 400}KB")
    processor.save_pretrained(folder)
    # Opened again: what was halved in memory has rotary frequencies that were halved too.
    model = LlavaForConditionalGeneration.from_pretrained(folder, attn_implementation="eager").float().eval()

    questions = QUESTIONS if name == "llava-1.5-7b" else QUESTIONS[:1]
    pixels = images(picture_image(), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        states = inner(model).vision_tower(pixels, output_hidden_states=True).hidden_states
        features = inner(model).multi_modal_projector(states[-2][:, 1:])
        answers = [answer_llava(model, tokenizer, question, features) for question in questions]
    return {"kind": "llava", "answers": answers, "pixels": summary(pixels[0]), "features": summary(features[0])}


def answer_llava(model, tokenizer, question, features):
    """What it says, and the loss of ANSWER, from the ids that the tokenizer gives for a prompt with one <image>."""
    import torch
    embed = model.get_input_embeddings()
    ids = tokenizer(prompt_of(question))["input_ids"]
    at = ids.index(32000)
    embeds = embed(torch.tensor(ids))
    merged = torch.cat([embeds[:at], features[0], embeds[at + 1:]])[None]
    logits, cache = step(model, merged, None)
    answer = tokenizer(ANSWER, add_special_tokens=False)["input_ids"] + [2]
    forced, _ = step(model, torch.cat([merged, embed(torch.tensor([answer]))], 1), None)
    rows = torch.log_softmax(forced[0, merged.shape[1] - 1:-1].float(), -1)
    result = {"question": question, "ids": ids, "logits": summary(logits[0, -1]),
              "nll": -rows.gather(1, torch.tensor(answer)[:, None]).mean().item()}
    said = []
    while len(said) < TOKENS:
        token = int(logits[0, -1].argmax())
        if token == 2:
            break
        said.append(token)
        logits, cache = step(model, embed(torch.tensor([[token]])), cache)
    return dict(result, answer_ids=said, answer=tokenizer.decode(said, skip_special_tokens=True))


def inner(model):
    """LlavaModel, which LlavaForConditionalGeneration of 4.52 and later holds; the older one is all in one."""
    return model.model if hasattr(model, "model") and hasattr(model.model, "vision_tower") else model


def step(model, embeds, cache):
    """Logits and keys and values of the language model alone."""
    out = inner(model).language_model(inputs_embeds=embeds, past_key_values=cache, use_cache=True)
    return (out.logits if inner(model) is model else model.lm_head(out.last_hidden_state)), out.past_key_values


def picture_image():
    from PIL import Image
    return Image.fromarray(picture())


def summary(tensor):
    flat = tensor.detach().float().flatten()
    return {"shape": list(tensor.shape), "mean": flat.mean().item(), "norm": flat.norm().item(),
            "first": flat[:8].tolist()}


def make_clap(folder, name):
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor, RobertaTokenizerFast
    audio, truncation = CLAPS[name]
    config = ClapConfig(audio_config=audio, projection_dim=512,
                        text_config=dict(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8))
    model = randomize(ClapModel(config))
    model.save_pretrained(folder)
    extractor = ClapFeatureExtractor(truncation=truncation, frequency_min=50)
    # A published folder has CLAP's processor, whose text half is of no use here: its feature extractor is what counts.
    ClapProcessor(feature_extractor=extractor, tokenizer=text_tokenizer(folder)).save_pretrained(folder)
    # Where it chooses pieces of a long clip by chance, the first of each choice.
    np.random.choice = lambda choices: choices[0]
    np.random.randint = lambda low, high=None: 0
    clips = {}
    for clip, seconds in CLIPS.items():
        if truncation == "rand_trunc" and clip == "long":
            samples = sound(seconds)[:10 * RATE]  # its first ten seconds
        else:
            samples = sound(seconds)
        inputs = extractor((samples / 32768).astype(np.float32), sampling_rate=RATE, return_tensors="pt")
        with torch.no_grad():
            features = model.get_audio_features(**inputs)
            features = features if torch.is_tensor(features) else features.pooler_output
            features = features / features.norm(dim=-1, keepdim=True)
        clips[clip] = {"log_mel": summary(inputs["input_features"][0]), "embedding": features[0].tolist()}
    return {"kind": "clap", "clips": clips}


def text_tokenizer(folder):
    """A vocabulary of bytes: enough for a RobertaTokenizerFast to be made and saved."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, RobertaTokenizerFast
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
    source = folder / "vocab_source"
    source.mkdir(parents=True, exist_ok=True)
    (source / "vocab.json").write_text(json.dumps(vocabulary))
    (source / "merges.txt").write_text("#version: 0.2\n")
    try:
        tokenizer = RobertaTokenizerFast(vocab_file=str(source / "vocab.json"), merges_file=str(source / "merges.txt"))
    except (TypeError, ValueError):
        tokenizer = RobertaTokenizerFast(vocab=vocabulary, merges=[])
    shutil.rmtree(source)
    return tokenizer


def texts(count, seed=5):
    """Prose, code, other scripts, runs of spaces, broken words: what people may write."""
    rng = np.random.default_rng(seed)
    words = ("the a dog barks while rain falls on tin roof what colour is this How many people are there? it's don't U.S.A. 3.14 1,000 "
             "na\u00efve \u00e9t\u00e9 stra\u00dfe \u6f22\u5b57 \u3042\u3044 \u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u0639\u0631\u0628 \U0001f600 \U0001f468\u200d\U0001f469 x=y+1; {\"a\":[1,2]} "
             "\u2581 <0x0A> \u00a0 \t \n \r\n  \u3000 http://e.x/?q=1 ANSWER ASSISTANT: USER: __init__ 'quoted' \"double\" #tag @me").split(" ")
    letters = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 .,;:!?-_/\\\u00e4\u00f6\u00fc\u4e2d\u6587"
    rows = []
    for index in range(count):
        if index % 5 == 4:
            rows.append("".join(rng.choice(list(letters), rng.integers(0, 40))))
        else:
            separators = [" ", " ", " ", "  ", "", "\n"]
            rows.append("".join(words[rng.integers(len(words))] + separators[rng.integers(6)] for _ in range(rng.integers(1, 14))))
    return rows


def write_texts(file, tokenizer_folder, count):
    from transformers import PreTrainedTokenizerFast
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
    rows = texts(count)
    with open(file, "w") as out:
        for text, ids in zip(rows, tokenizer(rows)["input_ids"]):
            decoded = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            out.write(json.dumps({"text": text, "ids": ids, "decoded": decoded}) + "\n")


def make(root, tokenizer_folder, names):
    import transformers
    models = root / "models"
    models.mkdir(parents=True, exist_ok=True)
    write_inputs(root)
    expected = {"transformers": transformers.__version__, "models": {}}
    for name in names or [*LLAVAS, *CLAPS]:
        expected["models"][name] = make_llava(models / name, name, tokenizer_folder) if name in LLAVAS else make_clap(models / name, name)
    (root / "expected.json").write_text(json.dumps(expected))


def run_inspect(program, model, *arguments):
    done = subprocess.run([program, "inspect", str(model), "--json", "--device", "cpu", *map(str, arguments)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def difference(ours, theirs):
    """Of two summaries: largest of their first values, relative to 1 or the value, and of mean and norm."""
    if list(ours["shape"]) != list(theirs["shape"]):
        raise RuntimeError(f"shape {ours['shape']}, and transformers has {theirs['shape']}")
    pairs = [(ours["norm"], theirs["norm"]), (ours["mean"], theirs["mean"]), *zip(ours["first"], theirs["first"])]
    return max(abs(a - b) / max(1, abs(b)) for a, b in pairs)


def check_llava(root, program, name, expected):
    found, same = {}, True
    for answer in expected["answers"]:
        ours = run_inspect(program, root / "models" / name, "--text", answer["question"], "--image", root / "picture.png",
                           "--answer", ANSWER, "--generation-max-new-tokens", TOKENS)
        stages = {stage["stage"]: stage for stage in ours["stages"]}
        same = same and ours["prompt"]["ids"] == answer["ids"] and ours["said"]["ids"] == answer["answer_ids"] \
            and ours["said"]["text"] == answer["answer"]
        for stage, theirs in (("pixels", expected["pixels"]), ("projector", expected["features"]), ("logits", answer["logits"])):
            found[stage] = max(found.get(stage, 0), difference(stages[stage], theirs))
        found["nll"] = max(found.get("nll", 0), abs(ours["answer"]["nll"] - answer["nll"]))
    return "equal tokens and answers" if same else "OTHER TOKENS OR ANSWERS", found


def check_clap(root, program, name, expected):
    found = {}
    for clip, theirs in expected["clips"].items():
        ours = run_inspect(program, root / "models" / name, "--clip", root / f"{clip}.wav")
        found["log-mel"] = max(found.get("log-mel", 0), difference(ours["stages"][0], theirs["log_mel"]))
        found["embedding"] = max(found.get("embedding", 0), float(np.abs(np.subtract(ours["embedding"], theirs["embedding"])).max()))
    return "equal", found


def check(root, program):
    expected = json.loads((root / "expected.json").read_text())
    failed = 0
    for name, model in expected["models"].items():
        try:
            text, found = (check_llava if model["kind"] == "llava" else check_clap)(root, program, name, model)
            # A decibel is measured, all else computed in the same arithmetic.
            wrong = text.isupper() or any(value > (1e-3 if stage == "log-mel" else 1e-5) for stage, value in found.items())
            text += ", " + ", ".join(f"{stage} {value:.1e}" for stage, value in found.items())
        except (RuntimeError, KeyError) as error:
            wrong, text = True, str(error)
        failed += wrong
        print(f"| {name} | {expected['transformers']} | {'**differs**: ' if wrong else ''}{text} |")
    return 1 if failed else 0


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2])
    if command == "tokenizer":
        make_tokenizer(folder)
    elif command == "texts":
        write_texts(folder, sys.argv[3], int(sys.argv[4]))
    elif command == "make":
        make(folder, Path(sys.argv[3]), sys.argv[4:])
    else:
        sys.exit(check(folder, sys.argv[3]))
