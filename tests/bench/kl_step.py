#!/usr/bin/env python3
"""The KL step of tests/bench/kl_step.cpp in Python, with transformers.

    kl_step.py FOLDER ADAPTER QUESTIONS TIMES float32|bfloat16 [DEVICE]

FOLDER is random_llava.py's or a tiny base's, ADAPTER the file that bench_kl_step wrote, which says where it is fused.
The same adapter is a forward hook, it hears at the positions behind the image, and the teacher's logits are computed
once, as ours are. Prints seconds and processor seconds a step, the loss, the gradient's norm and the peak memory as
JSON.
"""
import json
import resource
import sys
import time

import torch
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration

TEXT, ANSWER, TEMPERATURE, ALPHA, WORDS = 36, 3, 3.0, 16.0, 500


def parts_of(model):
    """The LLaMA layers and the output weights, where transformers 4 and 5 have them."""
    if hasattr(model, "lm_head"):
        return model.model.language_model, model.lm_head
    return model.language_model.model, model.language_model.lm_head


def embeds_of(decoder, row, positions):
    hidden = decoder.config.hidden_size
    ids = torch.tensor([1] + [5 + (7 * i + 13 * row) % WORDS for i in range(TEXT + ANSWER)],
                       device=decoder.embed_tokens.weight.device)
    text = decoder.embed_tokens(ids)
    image = 0.05 * torch.sin(torch.arange(positions * hidden, dtype=torch.float32) * 0.7 + row)
    return torch.cat([text[:1], image.reshape(positions, hidden).to(text), text[1:]])


class Adapter:
    def __init__(self, tensors, device, heads, positions):
        self.heads, self.begin = heads, 1 + positions
        tensors = {k: v.to(device) for k, v in tensors.items()}
        self.frozen = {k: v for k, v in tensors.items() if k.endswith(".anchor") or k == "silence" or k == "clips"}
        self.trained = {k: v.clone().requires_grad_() for k, v in tensors.items() if k not in self.frozen}
        self.layers = sorted({int(name.split(".")[2]) for name in tensors if name.startswith("fusion.")})
        self.audio = None

    def project(self, clips):
        t, functional = self.trained, torch.nn.functional
        x = functional.layer_norm(clips, clips.shape[-1:], t["audio_projector.norm.weight"],
                                  t["audio_projector.norm.bias"], 1e-6)
        x = functional.gelu(functional.linear(x, t["audio_projector.linear_1.weight"],
                                              t["audio_projector.linear_1.bias"]))
        x = functional.linear(x, t["audio_projector.linear_2.weight"], t["audio_projector.linear_2.bias"])
        x = x.view(clips.shape[0], -1, t[f"fusion.layers.{self.layers[0]}.gate.weight"].shape[0])
        return functional.layer_norm(x, x.shape[-1:], eps=1e-6)

    def hear(self, count):
        both = self.project(torch.cat([self.frozen["clips"][:count], self.frozen["silence"][None]]))
        self.audio = both[:count] - both[count:]

    def map(self, name, x):
        t = self.trained
        if name + ".weight" in t:
            return x @ t[name + ".weight"].T
        rank = t[name + ".lora_A.weight"].shape[0]
        learnt = (x @ t[name + ".lora_A.weight"].T) @ t[name + ".lora_B.weight"].T * (ALPHA / rank)
        anchor = self.frozen.get(name + ".anchor")
        return learnt if anchor is None else x @ anchor.T + learnt

    def fuse(self, layer, hidden):
        name = f"fusion.layers.{layer}."
        h = hidden.float()
        rows, length, width = h.shape
        normed = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6)
        split = lambda x: x.view(rows, x.shape[1], self.heads, -1).transpose(1, 2)
        q, k, v = (split(self.map(name + part, x)) for part, x in
                   (("q_proj", normed), ("k_proj", self.audio), ("v_proj", self.audio)))
        weights = torch.softmax(q @ k.transpose(2, 3) / (width // self.heads) ** 0.5, -1)
        joined = (weights @ v).transpose(1, 2).reshape(rows, length, width)
        gate = torch.tanh(normed @ self.trained[name + "gate.weight"].T)
        return (h + self.map(name + "o_proj", joined * gate)).to(hidden.dtype)

    def hook(self, layer):
        def fused(_module, _inputs, output):
            if self.audio is None:
                return output
            hidden = output[0] if isinstance(output, tuple) else output
            mixed = torch.cat([hidden[:, :self.begin], self.fuse(layer, hidden[:, self.begin:])], 1)
            return (mixed,) + output[1:] if isinstance(output, tuple) else mixed
        return fused


def main():
    folder, adapter_file, dtype = sys.argv[1], sys.argv[2], sys.argv[5]
    questions, times = int(sys.argv[3]), int(sys.argv[4])
    device = sys.argv[6] if len(sys.argv) > 6 else "cpu"
    model = LlavaForConditionalGeneration.from_pretrained(folder, torch_dtype=getattr(torch, dtype)).eval().to(device)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    decoder, head = parts_of(model)
    torch.set_num_threads(1 if decoder.config.hidden_size <= 512 else 2)
    vision = model.config.vision_config
    positions = (vision.image_size // vision.patch_size) ** 2
    adapter = Adapter(load_file(adapter_file), device, decoder.config.num_attention_heads, positions)
    for layer in adapter.layers:
        decoder.layers[layer].register_forward_hook(adapter.hook(layer))
    embeds = torch.stack([embeds_of(decoder, row, positions) for row in range(questions)])
    first = embeds.shape[1] - ANSWER - 1

    def logits():
        hidden = decoder(inputs_embeds=embeds, use_cache=False)[0]
        return head(hidden[:, first:-1]).float().flatten(0, 1)

    with torch.no_grad():
        teacher = logits()
    log_teacher = torch.log_softmax(teacher / TEMPERATURE, -1)
    leaves = list(adapter.trained.values())

    def step():
        adapter.hear(questions)
        log_student = torch.log_softmax(logits() / TEMPERATURE, -1)
        loss = 0.1 * TEMPERATURE ** 2 * (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean()
        gradients = torch.autograd.grad(loss, leaves)
        return loss.item(), sum(g.double().pow(2).sum().item() for g in gradients) ** 0.5

    seconds, processor = [], []
    for _ in range(times):
        start, before = time.monotonic(), time.process_time()
        loss, norm = step()
        seconds.append(time.monotonic() - start)
        processor.append(time.process_time() - before)
    print(json.dumps({"seconds": seconds, "processor_seconds": processor, "loss": loss, "gradient_norm": norm,
                      "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
                      "gpu_peak_gb": torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else 0,
                      "torch": torch.__version__}))


if __name__ == "__main__":
    main()
