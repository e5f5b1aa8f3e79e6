"""Makes classifier.h5: one training step of ResNet v2 in PyTorch, double precision.

Usage: python make_classifier.py classifier.h5      (needs torch, numpy, h5py)

The file is checkpoint and batch at once, with the results below /expected/classifier, named as
`saccader-dist trace --objective classifier` names its own. It also counts the parameters of
ResNet-v2-50 at 1,000 classes, from PyTorch's modules.
"""

import json
import sys

import h5py
import numpy
import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, inputs, planes, stride, expansion):
        super().__init__()
        outputs = planes * expansion
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=stride, padding=1, bias=False)
        self.norm3 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Module()
            self.shortcut.conv = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x):
        p = functional.relu(self.norm1(x))
        y = functional.relu(self.norm2(self.conv1(p)))
        y = functional.relu(self.norm3(self.conv2(y)))
        return self.conv3(y) + (x if self.shortcut is None else self.shortcut.conv(p))


class Classifier(nn.Module):
    def __init__(self, classes, stem, planes, blocks, strides, expansion):
        super().__init__()
        self.stem = nn.Module()
        self.stem.conv = nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False)
        inputs = stem
        for g, (width, count, stride) in enumerate(zip(planes, blocks, strides)):
            group = nn.Module()
            for b in range(count):
                block = Block(inputs, width, stride if b == 0 else 1, expansion)
                group.add_module(f"block{b}", block)
                inputs = width * expansion
            self.add_module(f"group{g}", group)
        self.groups = len(planes)
        self.norm = nn.BatchNorm2d(inputs)
        self.logits = nn.Linear(inputs, classes)

    def forward(self, images):
        x = functional.max_pool2d(self.stem.conv(images), 3, stride=2, padding=1)
        for g in range(self.groups):
            for block in getattr(self, f"group{g}").children():
                x = block(x)
        self.features = functional.relu(self.norm(x))
        return self.logits(self.features.mean((2, 3)))


WORDS = {"running_mean": "mean", "running_var": "variance"}


def stored(name, tensor):
    """PyTorch's name and layout as a checkpoint's: kernels [height, width, in, out]."""
    *path, leaf = name.split(".")
    array = tensor.detach().numpy()
    if "norm" in path[-1]:
        leaf = {"weight": "gamma", "bias": "beta", **WORDS}[leaf]
    elif leaf == "weight":
        leaf = "kernel"
        array = array.reshape(array.shape + (1,) * (4 - array.ndim)).transpose(2, 3, 1, 0)
    return "/".join(["classifier", *path, leaf]), numpy.ascontiguousarray(array)


def main(output):
    full = Classifier(1000, 64, [64, 128, 256, 512], [3, 4, 6, 3], [1, 2, 2, 2], 4)
    print("ResNet-v2-50, 1000 classes:", sum(p.numel() for p in full.parameters()))

    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    # Sizes that leave a rest at every stride and pool: 29 -> 15 -> 8 -> 8 -> 4.
    size, classes, l2 = 29, 5, 1e-3
    model = Classifier(classes, 6, [4, 8], [2, 2], [1, 2], 2)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.data.uniform_(0.5, 1.5) if "weight" in name else parameter.data.normal_(0, 0.3)
        else:
            parameter.data.mul_(1.5)
        # Both programs start from the same single-precision numbers.
        parameter.data = parameter.data.float().double()
    for name, buffer in model.named_buffers():
        if "running" in name:
            buffer.uniform_(0.2, 0.8)
            buffer.copy_(buffer.float().double())
    images = torch.randn(6, 3, size, size).float().double()
    labels = torch.randint(classes, (6,))
    with h5py.File(output, "w") as file:
        config = {
            "model": {
                "classes": classes,
                "classifier": {
                    "stemChannels": 6, "planes": [4, 8], "blocks": [2, 2], "strides": [1, 2],
                    "expansion": 2,
                },
                "representation": {"planes": [2], "blocks": [1], "strides": [1], "kernel3": [1]},
            },
            "data": {"imageSize": size},
            "stages": {"classifier": {"l2": l2, "shardSize": 2}},
        }
        file.attrs.update(
            format="saccader-checkpoint", version=1, config=json.dumps(config),
            stage="classifier", step=0, epoch=0, samples=0, seed=0, worldSize=1,
            program="PyTorch " + torch.__version__,
        )

        def write(path, array):
            kind = "i4" if array.dtype.kind == "i" else "f4"
            file.create_dataset(path, data=array.astype(kind))

        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if "num_batches" not in name:
                path, array = stored(name, tensor)
                write(f"/model/{path}", array)
        write("/batch/images", images.permute(0, 2, 3, 1).numpy())
        write("/batch/labels", labels.numpy())

        model.train()
        prediction = model(images)
        entropy = functional.cross_entropy(prediction, labels)
        kernels = [p for n, p in model.named_parameters() if p.ndim > 1]
        penalty = 0.5 * l2 * sum((p**2).sum() for p in kernels)
        (entropy + penalty).backward()
        root = "/expected/classifier"
        file.create_group(root).attrs.update(objective="classifier", set="[]")
        write(f"{root}/prediction", prediction.detach().numpy())
        features = model.features.detach().permute(0, 2, 3, 1).numpy()
        write(f"{root}/classifier/features", features)
        write(f"{root}/loss/crossEntropy", entropy.detach().numpy())
        write(f"{root}/loss/l2Classifier", penalty.detach().numpy())
        write(f"{root}/loss/total", (entropy + penalty).detach().numpy())
        for name, parameter in model.named_parameters():
            path, array = stored(name, parameter.grad)
            write(f"{root}/gradient/{path}", array)
        for name, buffer in model.named_buffers():
            if "running" in name:
                path, array = stored(name, buffer)
                write(f"{root}/statistics/{path}", array)

        # Once more with class weights, label smoothing and a norm that is more than the clip.
        weights, smoothing, clip = [2.0, 0.25, 1.0, 0.0, 1.5], 0.15, 0.75
        model.zero_grad()
        prediction = model(images)
        entropy = functional.cross_entropy(
            prediction, labels, weight=torch.tensor(weights), label_smoothing=smoothing)
        penalty = 0.5 * l2 * sum((p**2).sum() for p in kernels)
        (entropy + penalty).backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), clip)
        assert norm > clip
        root = "/expected/classifier-weighted"
        named = ", ".join(f"{name}: {weight}" for name, weight in enumerate(weights))
        overrides = [
            f"stages.classifier.{key}" for key in (
                f"classWeights={{{named}}}", f"labelSmoothing={smoothing}", f"gradientClip={clip}")
        ]
        file.create_group(root).attrs.update(objective="classifier", set=json.dumps(overrides))
        write(f"{root}/loss/crossEntropy", entropy.detach().numpy())
        write(f"{root}/loss/total", (entropy + penalty).detach().numpy())
        write(f"{root}/gradientNorm", norm.numpy())
        for name, parameter in model.named_parameters():
            path, array = stored(name, parameter.grad)
            write(f"{root}/gradient/{path}", array)


main(sys.argv[1])
