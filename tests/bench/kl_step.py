#!/usr/bin/env python3
"""The KL step of tests/bench/kl_step.cpp in Python, with transformers.

    kl_step.py FOLDER ADAPTER QUESTIONS TIMES float32|bfloat16

FOLDER is random_llava.py's, ADAPTER the file that bench_kl_step wrote. The same adapter is a forward hook, it hears at
the positions behind the image, and the teacher's logits are computed once, as ours are. Prints seconds a step, the loss
and the peak memory as JSON.
"""
import json
import resource
import sys
import time

import torch
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration

POSITIONS, TEXT, ANSWER, TEMPERATURE = 576, 36, 3, 3.0
HEADS, ALPHA, RANK, LAYERS, TOKENS = 16, 16.0, 8, (3, 6, 12), 16


def parts_of(model):
    """The LLaMA layers and the output weights, where transformers 4 and 5 have them."""
    if hasattr(model, "lm_head"):
        return model.model.language_model, model.lm_head
    return model.language_model.model, model.language_model.lm_head


def embeds_of(decoder, row):
    hidden = decoder.config.hidden_size
    ids = torch.tensor([1] + [5 + (7 * i + 13 * row) % 1000 for i in range(TEXT + ANSWER)])
    text = decoder.embed_tokens(ids)
    image = 0.05 * torch.sin(torch.arange(POSITIONS * hidden, dtype=torch.float32) * 0.7 + row)
    return torch.cat([text[:1], image.reshape(POSITIONS, hidden).to(text.dtype), text[1:]])


class Adapter:
    def __init__(self, tensors):
        self.frozen = {k: v for k, v in tensors.items() if k.endswith(".anchor") or k == "silence" or k == "clips"}
        self.trained = {k: v.clone().requires_grad_() for k, v in tensors.items() if k not in self.frozen}
        self.audio = None

    def project(self, clips):
        t, functional = self.trained, torch.nn.functional
        x = functional.layer_norm(clips, clips.shape[-1:], t["audio_projector.norm.weight"],
                                  t["audio_projector.norm.bias"], 1e-6)
        x = functional.gelu(functional.linear(x, t["audio_projector.linear_1.weight"],
                                              t["audio_projector.linear_1.bias"]))
        x = functional.linear(x, t["audio_projector.linear_2.weight"], t["audio_projector.linear_2.bias"])
        x = x.view(clips.shape[0], TOKENS, -1)
        return functional.layer_norm(x, x.shape[-1:], eps=1e-6)

    def hear(self, count):
        both = self.project(torch.cat([self.frozen["clips"][:count], self.frozen["silence"][None]]))
        self.audio = both[:count] - both[count:]

    def low_rank(self, name, x):
        t = self.trained
        learnt = (x @ t[name + ".lora_A.weight"].T) @ t[name + ".lora_B.weight"].T * (ALPHA / RANK)
        anchor = self.frozen.get(name + ".anchor")
        return learnt if anchor is None else x @ anchor.T + learnt

    def fuse(self, layer, hidden):
        name = f"fusion.layers.{layer}."
        h = hidden.float()
        rows, length, width = h.shape
        normed = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6)
        split = lambda x: x.view(rows, x.shape[1], HEADS, -1).transpose(1, 2)
        q, k, v = (split(self.low_rank(name + part, x)) for part, x in
                   (("q_proj", normed), ("k_proj", self.audio), ("v_proj", self.audio)))
        weights = torch.softmax(q @ k.transpose(2, 3) / (width // HEADS) ** 0.5, -1)
        joined = (weights @ v).transpose(1, 2).reshape(rows, length, width)
        gate = torch.tanh(normed @ self.trained[name + "gate.weight"].T)
        return (h + self.low_rank(name + "o_proj", joined) * gate).to(hidden.dtype)

    def hook(self, layer):
        def fused(_module, _inputs, output):
            if self.audio is None:
                return output
            hidden = output[0] if isinstance(output, tuple) else output
            begin = 1 + POSITIONS
            mixed = torch.cat([hidden[:, :begin], self.fuse(layer, hidden[:, begin:])], 1)
            return (mixed,) + output[1:] if isinstance(output, tuple) else mixed
        return fused


def main():
    folder, adapter_file, dtype = sys.argv[1], sys.argv[2], sys.argv[5]
    questions, times = int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(2)
    model = LlavaForConditionalGeneration.from_pretrained(folder, torch_dtype=getattr(torch, dtype)).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    adapter = Adapter(load_file(adapter_file))
    decoder, head = parts_of(model)
    for layer in LAYERS:
        decoder.layers[layer].register_forward_hook(adapter.hook(layer))
    embeds = torch.stack([embeds_of(decoder, row) for row in range(questions)])
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

    seconds = []
    for _ in range(times):
        start = time.monotonic()
        loss, norm = step()
        seconds.append(time.monotonic() - start)
    print(json.dumps({"seconds": seconds, "loss": loss, "gradient_norm": norm,
                      "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
                      "torch": torch.__version__}))


if __name__ == "__main__":
    main()
