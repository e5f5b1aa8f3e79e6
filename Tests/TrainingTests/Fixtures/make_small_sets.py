"""Makes small_sets.json: losses, clipped gradients and averages of weights as PyTorch has them.

Usage: python make_small_sets.py small_sets.json      (needs torch)
"""

import json
import sys

import torch
from torch import nn
from torch.optim import swa_utils

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)


def single(tensor):
    """Both programs start from the same single-precision numbers."""
    return tensor.float().double()


logits = single(2 * torch.randn(6, 4))
labels = torch.tensor([0, 3, 1, 1, 2, 0])
losses = []
for weights in (None, [1.0, 1.0, 1.0, 1.0], [2.0, 0.5, 0.0, 3.0], [0.125, 1.0, 4.0, 0.75]):
    for smoothing in (0.0, 0.1, 1.0):
        row = logits.clone().requires_grad_()
        loss = nn.CrossEntropyLoss(
            weight=None if weights is None else torch.tensor(weights), label_smoothing=smoothing
        )(row, labels)
        loss.backward()
        losses.append({
            "weights": weights or [], "smoothing": smoothing, "loss": loss.item(),
            "gradient": row.grad.flatten().tolist(),
        })

clips = []
gradient = single(torch.randn(9))
for most in (0.1, 1.0, 2.5, 100.0):
    parameters = [nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(5))]
    parameters[0].grad, parameters[1].grad = gradient[:4].clone(), gradient[4:].clone()
    norm = nn.utils.clip_grad_norm_(parameters, most)
    clips.append({
        "clip": most, "norm": norm.item(),
        "clipped": torch.cat([p.grad for p in parameters]).tolist(),
    })


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(7))
        self.register_buffer("statistic", torch.zeros(3))


steps = single(torch.randn(12, 10))
averages = []
for decay, warmup in [(0.5, 0), (0.9, 0), (0.999, 0), (0.9, 10), (0.75, 3.5)]:
    model = Model()

    def warming(average, value, count, decay=decay, warmup=warmup):
        part = min(decay, (1 + count.item()) / (warmup + count.item()))
        return part * average + (1 - part) * value

    average = swa_utils.AveragedModel(
        model, use_buffers=True,
        **({"avg_fn": warming} if warmup else
           {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(decay)}))
    results = []
    for values in steps:
        model.weight.data.copy_(values[:7])
        model.statistic.copy_(values[7:])
        average.update_parameters(model)
        results.append(
            torch.cat([average.module.weight.data, average.module.statistic]).tolist())
    averages.append({"decay": decay, "warmup": warmup, "averages": results})

with open(sys.argv[1], "w") as file:
    json.dump({
        "logits": logits.flatten().tolist(), "labels": labels.tolist(), "losses": losses,
        "gradient": gradient.tolist(), "clips": clips, "steps": steps.tolist(),
        "averages": averages,
    }, file)
