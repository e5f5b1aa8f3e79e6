"""Makes attack.h5: gradients with respect to the pixels in PyTorch, double precision.

Usage: python make_attack.py attack.h5      (needs torch, numpy, h5py)

The file is checkpoint and batch at once. Below /expected stand, for the learned policy's prediction
(learned) and for the mean of all logits (meanLogits), the averaged logits, the locations, the
gradient of each image's cross entropy with respect to the standardised pixels by autograd, and the
averaged logits after one step of the fast gradient sign method of radius 8/255.
"""

import json
import sys

import h5py
import numpy
import torch
from torch import nn
from torch.nn import functional

SIZE, CLASSES, GLIMPSES, EPSILON = 17, 6, 3, 8 / 255
STEM, PLANES, BLOCKS, STRIDES, KERNEL3, EXPANSION = 4, [3, 4], [2, 1], [2, 1], [1, 1], 2
LOW_D, MIXED = 2, 5
MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).reshape(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).reshape(1, 3, 1, 1)


class Unit(nn.Module):
    """Convolution and batch norm, without the rectification."""

    def __init__(self, inputs, outputs, kernel=1, **options):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(x))


class Block(nn.Module):
    def __init__(self, inputs, planes, kernel, stride):
        super().__init__()
        outputs = planes * EXPANSION
        self.crop = (kernel - 1) // 2
        self.unit1 = Unit(inputs, planes)
        self.unit2 = Unit(planes, planes, kernel, stride=stride)
        self.unit3 = Unit(planes, outputs)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = Unit(inputs, outputs, stride=stride)

    def forward(self, x):
        y = self.unit3(functional.relu(self.unit2(functional.relu(self.unit1(x)))))
        if self.crop:
            x = x[:, :, self.crop : -self.crop, self.crop : -self.crop]
        return functional.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class Saccader(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Unit(3, STEM, 3)
        channels = STEM
        self.names = []
        for g, planes in enumerate(PLANES):
            for b in range(BLOCKS[g]):
                kernel, stride = 3 if b < KERNEL3[g] else 1, STRIDES[g] if b == 0 else 1
                self.names.append(f"group{g}_block{b}")
                self.add_module(self.names[-1], Block(channels, planes, kernel, stride))
                channels = planes * EXPANSION
        what, where = channels // LOW_D, channels // 2
        self.lowd = Unit(channels, what)
        self.logits = nn.Conv2d(what, CLASSES, 1)
        self.layer0 = Unit(channels, where)
        self.layer1 = Unit(where, where, 3, padding=2, dilation=2)
        self.mixing = nn.Conv2d(where + what, MIXED, 1)
        self.a = nn.Parameter(torch.randn(MIXED))

    def forward(self, images):
        """Logits of all locations [B, P, c] and the places of the learned policy [B, T]."""
        x = functional.relu(self.stem(images))
        for name in self.names:
            x = getattr(self, name)(x)
        what = functional.relu(self.lowd(x))
        logits = self.logits(what).flatten(2).transpose(1, 2)
        where = functional.relu(self.layer1(functional.relu(self.layer0(x))))
        mixed = self.mixing(torch.cat([where, what], 1)).flatten(2).transpose(1, 2)
        visited = torch.zeros(mixed.shape[:2], dtype=mixed.dtype)
        places, self.margin = [], numpy.inf
        for _ in range(GLIMPSES):
            attention = ((mixed @ self.a) / MIXED**0.5 - 1e5 * visited).softmax(1)
            channels = (attention.unsqueeze(1) @ mixed).squeeze(1).softmax(1)
            policy = (mixed @ channels.unsqueeze(2)).squeeze(2) - 1e5 * visited
            best = policy.topk(2, 1)
            self.margin = min(self.margin, (best.values[:, 0] - best.values[:, 1]).min().item())
            places.append(best.indices[:, 0])
            visited = visited.scatter(1, places[-1].unsqueeze(1), 1.0)
        return logits, torch.stack(places, 1)


def stored(name, tensor):
    """PyTorch's name and layout as a checkpoint's: kernels [height, width, in, out]."""
    *path, leaf = name.split(".")
    array = tensor.detach().numpy()
    words = {"running_mean": "mean", "running_var": "variance", "bias": "beta", "weight": "gamma"}
    if path and path[-1] == "norm":
        leaf = words[leaf]
    elif leaf == "weight":
        leaf, array = "kernel", array.transpose(2, 3, 1, 0)
    if not path:
        return "cell/a", array
    top = path[0].replace("_", "/")
    numbered = len(path) > 2 and path[1].startswith("unit")
    if numbered:
        path = [path[0], path[2] + path[1][-1]]
    room = {"layer0": "attention/", "layer1": "attention/", "mixing": ""}
    return room.get(top, "representation/") + "/".join([top, *path[1:], leaf]), array


def predict(model, images, target):
    logits, places = model(images)
    if target == "meanLogits":
        places = torch.arange(logits.shape[1]).expand(len(images), -1)
    return logits.gather(1, places.unsqueeze(2).expand(-1, -1, CLASSES)).mean(1), places


def main(output):
    torch.manual_seed(11)
    torch.set_default_dtype(torch.float64)
    model = Saccader().eval()
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.data.uniform_(0.5, 1.5) if "weight" in name else parameter.data.normal_(0, 0.3)
        else:
            parameter.data.mul_(2)
        # Both programs start from the same single-precision numbers.
        parameter.data = parameter.data.float().double()
    for name, buffer in model.named_buffers():
        if "running" in name:
            buffer.uniform_(0.2, 0.8)
            buffer.copy_(buffer.float().double())
    pixels = torch.rand(4, 3, SIZE, SIZE)
    images = ((pixels - MEAN) / DEVIATION).float().double()
    labels = torch.randint(CLASSES, (4,))
    with h5py.File(output, "w") as file:
        config = {
            "model": {
                "classes": CLASSES,
                "mixedFeatures": MIXED,
                "representation": {
                    "stemChannels": STEM, "planes": PLANES, "blocks": BLOCKS, "strides": STRIDES,
                    "kernel3": KERNEL3, "expansion": EXPANSION, "lowDDivisor": LOW_D,
                },
                "attention": {"groups": 1, "layersPerGroup": 2, "dilation": 2},
            },
            "data": {"imageSize": SIZE},
        }
        file.attrs.update(
            format="saccader-checkpoint", version=1, config=json.dumps(config), stage="joint",
            step=0, epoch=0, samples=0, seed=0, worldSize=1,
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
        for target in ["learned", "meanLogits"]:
            root = f"/expected/{target}"
            inputs = images.clone().requires_grad_()
            prediction, places = predict(model, inputs, target)
            functional.cross_entropy(prediction, labels, reduction="sum").backward()
            write(f"{root}/prediction", prediction.detach().numpy())
            write(f"{root}/locations", places.numpy())
            write(f"{root}/gradient", inputs.grad.permute(0, 2, 3, 1).numpy())
            moved = images * DEVIATION + MEAN + EPSILON * inputs.grad.sign()
            moved = (moved.clamp(0, 1) - MEAN) / DEVIATION
            attacked, others = predict(model, moved, target)
            write(f"{root}/fgsm", attacked.detach().numpy())
            print(target, "margin", model.margin, "places moved", (places != others).sum().item())
            for before, after in [(prediction, attacked)]:
                print(functional.cross_entropy(before, labels, reduction="none").tolist(),
                      functional.cross_entropy(after, labels, reduction="none").tolist())


main(sys.argv[1])
