"""A second network on glimpses in plain PyTorch: the other side of the comparison.

NASNet-A (Zoph, Vasudevan, Shlens, Le, arXiv 1707.07012, wired as TensorFlow's slim has it) or
ResNet-v2 on the patches that a frozen Saccader chose, read from the same YAML settings;
channels-last, modules of torch.nn only.
"""

import torch
from torch import nn
from torch.nn import functional as F

from saccader import Saccader, infer  # pytorch_step has put its folder on the path

FIELD, STRIDE = 77, 8  # of a location of the Saccader, in pixels


def same(x, kernel, stride, value=0.0):
    """SAME margins: where they are odd, the pixel more stands at the end."""
    margins = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        margins += [total // 2, total - total // 2]
    return F.pad(x, margins, value=value) if any(margins) else x


class Depthwise(nn.Module):
    def __init__(self, channels, kernel, stride):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv2d(channels, channels, kernel, stride, groups=channels, bias=False)

    def forward(self, x):
        if self.stride == 1:
            return F.conv2d(
                x, self.conv.weight, padding=self.kernel // 2, groups=self.conv.groups)
        return self.conv(same(x, self.kernel, self.stride))


def pointwise(inputs, outputs, norm):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs, **norm))


class Separable(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, norm):
        super().__init__()
        self.depthwise1 = Depthwise(inputs, kernel, stride)
        self.pointwise1 = pointwise(inputs, outputs, norm)
        self.depthwise2 = Depthwise(outputs, kernel, 1)
        self.pointwise2 = pointwise(outputs, outputs, norm)

    def forward(self, x):
        x = self.pointwise1(self.depthwise1(F.relu(x)))
        return self.pointwise2(self.depthwise2(F.relu(x)))


class Factorized(nn.Module):
    def __init__(self, inputs, outputs, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
        self.conv2 = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, **norm)

    def forward(self, x):
        moved = F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat(
            [self.conv1(x[:, :, ::2, ::2]), self.conv2(moved[:, :, ::2, ::2])], 1))


def average(x, stride):
    if stride == 1:
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    # Over the pixels that exist, where the margins may be uneven.
    one = torch.ones_like(x[:1, :1])
    return F.avg_pool2d(same(x, 3, 2), 3, 2) / F.avg_pool2d(same(one, 3, 2), 3, 2)


class Cell(nn.Module):
    """A normal cell or, with stride 2, a reduction."""

    def __init__(self, current, previous, filters, reduces, adjusting, norm):
        super().__init__()
        self.reduces = reduces
        self.current = pointwise(current, filters, norm)
        self.previous = {
            "pointwise": lambda: pointwise(previous, filters, norm),
            "factorized": lambda: Factorized(previous, filters, norm),
            "none": lambda: None}[adjusting]()
        from_previous = previous if adjusting == "none" else filters
        stride = 2 if reduces else 1

        def sep(kernel, inputs=filters, stride=stride):
            return Separable(inputs, filters, kernel, stride, norm)

        if reduces:
            self.seps = nn.ModuleList([
                sep(5), sep(7, from_previous), sep(7, from_previous), sep(5, from_previous),
                sep(3, stride=1)])
        else:
            self.seps = nn.ModuleList([sep(5), sep(3), sep(5), sep(3), sep(3)])
        self.channels = (4 if reduces else 6) * filters

    def forward(self, current, previous):
        c = self.current(F.relu(current))
        p = previous if self.previous is None else self.previous(F.relu(previous))
        seps = self.seps
        if self.reduces:
            largest = F.max_pool2d(same(c, 3, 2, float("-inf")), 3, 2)
            pair0 = seps[0](c) + seps[1](p)
            pair1 = largest + seps[2](p)
            pair2 = average(c, 2) + seps[3](p)
            pair3 = pair1 + average(pair0, 1)
            pair4 = seps[4](pair0) + largest
            return torch.cat([pair1, pair2, pair3, pair4], 1)
        mean = average(p, 1)
        return torch.cat([
            p, seps[0](c) + seps[1](p), seps[2](p) + seps[3](p), average(c, 1) + p, mean + mean,
            seps[4](c) + c], 1)


class NASNet(nn.Module):
    def __init__(self, settings):
        super().__init__()
        sizes = settings["nasnet"]
        norm = {"eps": float(sizes["normEpsilon"]), "momentum": 1 - sizes["normMomentum"]}
        stem, filters = sizes["stemChannels"], sizes["filters"]
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, 2, bias=False), nn.BatchNorm2d(stem, **norm))
        self.cells, self.inputs = nn.ModuleList(), []
        channels = [stem]
        reduced = [False]

        def add(filters, reduces, current, previous, adjusting):
            self.cells.append(Cell(
                channels[current], channels[previous], filters, reduces, adjusting, norm))
            self.inputs.append((current, previous))
            channels.append(self.cells[-1].channels)
            reduced.append(reduces)

        add(filters // 4, True, 0, 0, "none")
        add(filters // 2, True, 1, 0, "factorized")
        for group in range(3):
            if group:
                last = len(channels) - 1
                add(filters << group, True, last, last - 1, "pointwise")
            for cell in range(sizes["cellsPerGroup"]):
                last = len(channels) - 1
                previous = last - 1
                if cell == 0 and group and sizes["skipReductionInput"]:
                    previous = last - 2
                adjusting = "factorized" if cell == 0 else "pointwise"
                add(filters << group, False, last, previous, adjusting)
        self.dropout = nn.Dropout(sizes["dropout"])
        self.logits = nn.Linear(channels[-1], settings["classes"])

    def forward(self, x):
        outputs = [self.stem(x)]
        for cell, (current, previous) in zip(self.cells, self.inputs):
            outputs.append(cell(outputs[current], outputs[previous]))
        return self.logits(self.dropout(F.relu(outputs[-1]).mean((2, 3))))


class PreActivation(nn.Module):
    """A residual block of ResNet v2; the stride stands in a group's first block."""

    def __init__(self, inputs, planes, outputs, stride):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (
            nn.BatchNorm2d(n) for n in (inputs, planes, planes))
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.shortcut = (
            nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            if stride > 1 or inputs != outputs else None)

    def forward(self, x):
        p = F.relu(self.norm1(x))
        y = F.relu(self.norm2(self.conv1(p)))
        y = F.relu(self.norm3(self.conv2(y)))
        return self.conv3(y) + (x if self.shortcut is None else self.shortcut(p))


class ResNetV2(nn.Module):
    def __init__(self, settings):
        super().__init__()
        sizes = settings["classifier"]
        channels = sizes["stemChannels"]
        self.stem = nn.Conv2d(3, channels, 7, 2, 3, bias=False)
        blocks = []
        for planes, count, stride in zip(sizes["planes"], sizes["blocks"], sizes["strides"]):
            for block in range(count):
                outputs = planes * sizes["expansion"]
                blocks.append(
                    PreActivation(channels, planes, outputs, stride if block == 0 else 1))
                channels = outputs
        self.blocks, self.norm = nn.Sequential(*blocks), nn.BatchNorm2d(channels)
        self.logits = nn.Linear(channels, settings["classes"])

    def forward(self, x):
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        return self.logits(F.relu(self.norm(self.blocks(x))).mean((2, 3)))


class Glimpses(nn.Module):
    """A frozen Saccader, and the network that classifies the patches it chose."""

    def __init__(self, settings, fold):
        super().__init__()
        model, data = settings["model"], settings["data"]
        self.locator = fold(Saccader(model).eval()).requires_grad_(False)
        nasnet = settings["glimpse"]["network"] == "nasnet"
        self.network = NASNet(model) if nasnet else ResNetV2(model)
        self.size, self.larger = data["imageSize"], data["patchImageSize"] or data["imageSize"]
        self.patch = FIELD * self.larger // self.size

    def train(self, mode=True):
        super().train(mode)
        self.locator.eval()
        return self

    def forward(self, images, larger, glimpses):
        """The mean logits of the patches, [B, c]."""
        with torch.no_grad():
            logits, places = infer(self.locator, images, glimpses)
        width, patches = logits.shape[3], []
        for image in range(images.shape[0]):
            for place in places[image].tolist():
                y, x = (
                    min(max(((2 * STRIDE * index + FIELD) * self.larger
                             - (self.patch - 1) * self.size) // (2 * self.size), 0),
                        self.larger - self.patch)
                    for index in divmod(place, width))
                patches.append(larger[image, :, y:y + self.patch, x:x + self.patch])
        patches = torch.stack(patches).contiguous(memory_format=torch.channels_last)
        return self.network(patches).unflatten(0, (-1, glimpses)).float().mean(1)
