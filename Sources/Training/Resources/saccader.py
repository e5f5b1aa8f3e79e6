"""Saccader, classifier, DRAM and the network on glimpses as saccader-dist trains them, in PyTorch.

    import saccader
    model = saccader.load("model.safetensors")            # in inference mode
    image = saccader.prepare("photo.jpg", model)          # [1, 3, H, W]
    logits, places = model(image, glimpses=6)             # after 1, 2 … 6 glimpses: [1, 6, c], [1, 6]
    saccader.save(model, "finetuned.safetensors")         # saccader-dist import reads it back

A network on glimpses cuts patches out of a larger picture (`prepare_both`): model(image, 6, larger).

As a program: python saccader.py PICTURE… [--weights model.safetensors] [--glimpses T].
Needs torch, and Pillow to read pictures. Networks and losses: Elsayed, Kornblith, Le, NeurIPS 2019;
Ba, Mnih, Kavukcuoglu, arXiv 1412.7755; Zoph, Vasudevan, Shlens, Le, arXiv 1707.07012 (NASNet-A).
Arrays are NCHW, kernels OIHW.
"""

import argparse
import json
import math
import struct
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def rescaled(images, pixels):
    """Standardised images on the scale that a network trained elsewhere expects."""
    if not pixels.get("mean"):
        return images
    mean, deviation, own_mean, own_deviation = (
        images.new_tensor(x)[:, None, None]
        for x in (pixels["mean"], pixels["deviation"], MEAN, DEVIATION))
    return images * (own_deviation / deviation) + (own_mean - mean) / deviation


# Layers


def norm(channels, settings):
    options = settings.get("batchNorm", {})
    # PyYAML reads 1e-5, without a point, as a word.
    return nn.BatchNorm2d(
        channels, eps=float(options.get("epsilon", 1e-5)),
        momentum=1 - float(options.get("momentum", 0.9)))


class ConvNorm(nn.Module):
    def __init__(self, settings, inputs, outputs, kernel=1, **options):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
        self.norm = norm(outputs, settings)

    def forward(self, x):
        return self.norm(self.conv(x))


class Bottleneck(nn.Module):
    """A block of BagNet: valid convolutions, so that the residual is cropped."""

    def __init__(self, settings, inputs, planes, outputs, kernel, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.conv2 = nn.Conv2d(planes, planes, kernel, stride, bias=False)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.norm1, self.norm2, self.norm3 = (
            norm(channels, settings) for channels in (planes, planes, outputs))
        self.crop = (kernel - 1) // 2
        projects = stride != 1 or inputs != outputs
        self.shortcut = ConvNorm(settings, inputs, outputs, stride=stride) if projects else None
        # The published code norms the main path twice and the projected residual not at all.
        self.norms_main = settings["representation"].get("shortcutNorm") == "reference"

    def forward(self, x):
        main = F.relu(self.norm1(self.conv1(x)))
        main = F.relu(self.norm2(self.conv2(main)))
        main = self.norm3(self.conv3(main))
        if self.crop:
            x = x[:, :, self.crop:-self.crop, self.crop:-self.crop]
        if self.shortcut is None:
            return F.relu(main + x)
        if self.norms_main:
            return F.relu(self.shortcut.norm(main) + self.shortcut.conv(x))
        return F.relu(main + self.shortcut(x))


class PreActivation(nn.Module):
    """A block of ResNet v2; the DRAM's have biases after conv3 and shortcut."""

    def __init__(self, settings, inputs, planes, outputs, stride, bias):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (
            norm(channels, settings) for channels in (inputs, planes, planes))
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=bias)
        # The classifier projects where the stride is not 1 too; the DRAM subsamples there.
        self.shortcut = None
        if inputs != outputs or (stride != 1 and not bias):
            self.shortcut = nn.Sequential()
            self.shortcut.add_module("conv", nn.Conv2d(inputs, outputs, 1, stride, bias=bias))
        self.stride = stride

    def forward(self, x):
        p = F.relu(self.norm1(x))
        y = F.relu(self.norm2(self.conv1(p)))
        y = self.conv3(F.relu(self.norm3(self.conv2(y))))
        kept = x if self.stride == 1 else x[:, :, ::self.stride, ::self.stride]
        return y + (kept if self.shortcut is None else self.shortcut(p))


class Trunk(nn.Module):
    """ResNet v2 up to the mean over all places, [N, C, 1, 1]."""

    def __init__(self, settings, sizes, inputs, bias):
        super().__init__()
        channels = sizes["stemChannels"]
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(inputs, channels, 7, 2, 3, bias=bias))
        self.names = []
        groups = zip(sizes["planes"], sizes["blocks"], sizes["strides"])
        for group, (planes, count, stride) in enumerate(groups):
            blocks = nn.Sequential()
            for block in range(count):
                # The stride stands in a group's first block, the DRAM's in its last.
                strided = block == (count - 1 if bias else 0)
                outputs = planes * sizes["expansion"]
                blocks.add_module(f"block{block}", PreActivation(
                    settings, channels, planes, outputs, stride if strided else 1, bias))
                channels = outputs
            self.add_module(f"group{group}", blocks)
            self.names.append(f"group{group}")
        self.norm, self.channels = norm(channels, settings), channels

    def features(self, x):
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        for name in self.names:
            x = getattr(self, name)(x)
        return F.relu(self.norm(x)).mean((2, 3), keepdim=True)


# Saccader


class Representation(nn.Module):
    """BagNet: features, "what" features and logits at every location."""

    def __init__(self, settings):
        super().__init__()
        sizes = settings["representation"]
        channels = sizes["stemChannels"]
        self.stem = ConvNorm(settings, 3, channels, 3)
        self.names = []
        for group, count in enumerate(sizes["blocks"]):
            blocks = nn.Sequential()
            for block in range(count):
                planes = sizes["planes"][group]
                outputs = planes * sizes["expansion"]
                blocks.add_module(f"block{block}", Bottleneck(
                    settings, channels, planes, outputs,
                    3 if block < sizes["kernel3"][group] else 1,
                    sizes["strides"][group] if block == 0 else 1))
                channels = outputs
            self.add_module(f"group{group}", blocks)
            self.names.append(f"group{group}")
        what = channels // sizes["lowDDivisor"]
        self.lowd = ConvNorm(settings, channels, what)
        self.logits = nn.Conv2d(what, settings["classes"], 1)
        self.channels, self.what_channels = channels, what

    def forward(self, x):
        x = F.relu(self.stem(x))
        for name in self.names:
            x = getattr(self, name)(x)
        what = F.relu(self.lowd(x))
        return x, what, self.logits(what)


class Attention(nn.Module):
    """From features to "where" features."""

    def __init__(self, settings, channels):
        super().__init__()
        sizes, dilation, index = settings["attention"], settings["attention"]["dilation"], 0
        for _ in range(sizes["groups"]):
            width = channels // 2
            for layer in range(sizes["layersPerGroup"]):
                self.add_module(f"layer{index}", ConvNorm(settings, channels, width) if layer == 0
                                else ConvNorm(settings, width, width, 3, padding=dilation,
                                              dilation=dilation))
                index += 1
            channels = width
        self.names, self.channels = [f"layer{number}" for number in range(index)], channels

    def forward(self, x):
        for name in self.names:
            x = F.relu(getattr(self, name)(x))
        return x


class Cell(nn.Module):
    """The Saccader cell, equations 1 to 3 of the paper."""

    PENALTY = 1e5

    def __init__(self, channels):
        super().__init__()
        self.a = nn.Parameter(torch.randn(channels))

    def forward(self, mixed, visited):
        """The policy's logits [N, P], given features [N, P, d] and what was visited [N, P]."""
        attention = mixed @ self.a / math.sqrt(mixed.shape[2]) - self.PENALTY * visited
        weights = torch.einsum("bpd,bp->bd", mixed, attention.softmax(1)).softmax(1)
        return torch.einsum("bpd,bd->bp", mixed, weights) - self.PENALTY * visited


class Saccader(nn.Module):
    PREFIX = ""

    def __init__(self, settings):
        super().__init__()
        self.representation = Representation(settings)
        inputs = self.representation.what_channels
        self.attention = None
        if settings["attention"].get("enabled", True):
            self.attention = Attention(settings, self.representation.channels)
            inputs += self.attention.channels
        self.mixing = nn.Conv2d(inputs, settings["mixedFeatures"], 1)
        self.cell = Cell(settings["mixedFeatures"])
        self.soft = settings.get("cell", {}).get("soft", False)

    def mix(self, features, what):
        parts = [what] if self.attention is None else [self.attention(features), what]
        return self.mixing(torch.cat(parts, dim=1)).flatten(2).transpose(1, 2).float()

    def follow(self, mixed, glimpses, choose):
        """Logits of the policy [N, T, P] and places [N, T] of a trajectory."""
        visited = mixed.new_zeros(mixed.shape[:2])
        logits, places = [], []
        for glimpse in range(glimpses):
            logits.append(self.cell(mixed, visited))
            places.append(choose(logits[-1], glimpse))
            visited = visited.scatter(1, places[-1][:, None], 1.0)
        return torch.stack(logits, 1), torch.stack(places, 1)

    def forward(self, images, glimpses, policy="learned"):
        """Averaged logits after 1, 2 … T glimpses [N, T, c], and their places i·w + j, [N, T]."""
        features, what, logits = self.representation(images)
        classes = logits.flatten(2).transpose(1, 2).float()  # [N, P, c]
        seen = None
        if policy == "learned":
            way, places = self.follow(
                self.mix(features, what), glimpses, lambda logits, _: logits.argmax(1))
            if self.soft:
                seen = way.softmax(2) @ classes
        else:
            places = PLACES[policy](self, images, classes)[:, :glimpses]
        if seen is None:
            seen = classes.gather(1, places[:, :, None].expand(-1, -1, classes.shape[2]))
        count = torch.arange(1, seen.shape[1] + 1, device=seen.device)
        return seen.cumsum(1) / count[:, None], places

    def without_attention(self, images):
        """The mean of the logits at all locations, [N, c]."""
        return self.representation(images)[2].float().mean((2, 3))


def random_places(model, images, classes):
    return torch.rand(classes.shape[:2]).argsort(1)


def ordered_logits(model, images, classes):
    predicted = classes.mean(1).argmax(1)
    worth = classes.gather(2, predicted[:, None, None].expand(-1, classes.shape[1], 1))[:, :, 0]
    return worth.argsort(dim=1, descending=True, stable=True)


def central(model, images, classes):
    side = math.isqrt(classes.shape[1])
    middle = (side - 1) // 2 * (side + 1)
    return torch.full_like(classes[:, :, 0], middle, dtype=torch.long)


PLACES = {"random": random_places, "orderedLogits": ordered_logits, "center": central}


def infer(model, images, glimpses):
    """Logits at all places and the places that the policy chooses, by argmax."""
    features, what, logits = model.representation(images)
    _, places = model.follow(
        model.mix(features, what), glimpses, lambda policy, _: policy.argmax(1))
    return logits, places


# Losses of the stages, without L2 terms: these are an optimizer's weight decay


def representation_loss(model, images, labels, settings):
    logits = model.representation(images)[2]
    return F.cross_entropy(logits.float().mean((2, 3)), labels)


def location_loss(model, images, labels, settings):
    with torch.no_grad():
        features, what, logits = model.representation(images)
        order = logits.float().amax(1).flatten(1).argsort(1, descending=True)
    targets = order[:, :settings["glimpses"]]
    policy, _ = model.follow(
        model.mix(features, what), settings["glimpses"], lambda _, t: targets[:, t])
    return F.cross_entropy(policy.flatten(0, 1), targets.flatten())


def joint_loss(model, images, labels, settings):
    features, what, logits = model.representation(images)
    mixed = model.mix(features, what)
    classes = logits.flatten(2).transpose(1, 2).float()  # [N, P, c]
    losses, likelihoods, rewards = [], [], []
    for _ in range(settings["samples"]):
        policy, places = model.follow(
            mixed, settings["glimpses"],
            lambda logits, _: torch.multinomial(logits.detach().softmax(1), 1)[:, 0])
        seen = classes.gather(1, places[:, :, None].expand(-1, -1, classes.shape[2])).mean(1)
        losses.append(F.cross_entropy(seen, labels))
        likelihoods.append(
            policy.log_softmax(2).gather(2, places[:, :, None])[:, :, 0].sum(1))
        rewards.append((seen.argmax(1) == labels).float())
    reward = torch.stack(rewards)
    advantage = reward - reward.mean()
    policy_loss = -(advantage * torch.stack(likelihoods)).mean()
    weight = settings.get("reinforceWeight", 1.0)
    return torch.stack(losses).mean() + weight * policy_loss


LOSSES = {
    "representation": representation_loss, "location": location_loss, "joint": joint_loss}


# Classifier


class Classifier(Trunk):
    """ResNet v2 on whole images."""

    PREFIX = "classifier."

    def __init__(self, settings):
        super().__init__(settings, settings["classifier"], 3, bias=False)
        self.logits = nn.Conv2d(self.channels, settings["classes"], 1)
        self.pixels = settings["classifier"].get("pixels", {})

    def forward(self, images):
        """Logits, [N, c]."""
        return self.logits(self.features(rescaled(images, self.pixels))).flatten(1)


# DRAM


class LSTM(nn.Conv2d):
    """[i|j|f|o] = [input, h]·W + b; the 1 of the forget gate is no part of b. All [N, C, 1, 1]."""

    def __init__(self, inputs, units):
        super().__init__(inputs + units, 4 * units, 1)
        self.units = units

    def forward(self, x, state):
        if state is None:
            zeros = x.new_zeros(len(x), self.units, 1, 1)
            state = zeros, zeros
        h, memory = state
        i, j, f, o = super().forward(torch.cat([x, h], 1)).chunk(4, 1)
        memory = torch.sigmoid(f + 1) * memory + torch.sigmoid(i) * torch.tanh(j)
        return torch.sigmoid(o) * torch.tanh(memory), memory


class DRAM(nn.Module):
    PREFIX = "dram."

    def __init__(self, settings, image_size):
        super().__init__()
        sizes = settings["dram"]
        self.sizes, self.image_size = sizes, image_size
        g, count = sizes["glimpseSize"], sizes["resolutions"]
        last = max(1, count - 1)
        self.sides = [(g * last + (image_size - g) * i) // last for i in range(count)]
        self.limit = 1 - g / image_size
        norms = {"momentum": sizes["normMomentum"],
                 "epsilon": settings.get("batchNorm", {}).get("epsilon", 1e-5)}
        self.glimpse = Trunk({"batchNorm": norms}, sizes, 5 * count, bias=True)
        units = sizes["classificationUnits"]
        self.classificationCell = LSTM(self.glimpse.channels, units)
        self.locationCell = LSTM(units, sizes["locationUnits"])
        self.logits = nn.Conv2d(units, settings["classes"], 1)
        self.emission = nn.Conv2d(sizes["locationUnits"], 2, 1)

    def cut(self, images, places, resolutions):
        """R windows around (y, x), [N, 5R, g, g]; the wide ones flat unless they are to be seen."""
        g, size, parts = self.sizes["glimpseSize"], self.image_size, []
        rows = torch.arange(len(images), device=images.device)[:, None]

        def between(values, index, fraction, dim):
            """Linearly between the pixels of two indices along a dimension."""
            lower, upper = (values.gather(dim, i) for i in index)
            return lower + (upper - lower) * fraction

        for index, side in enumerate(self.sides):
            first = torch.floor((size * (places.double() + 1) - side) / 2 + 2 ** -10).long()
            steps = torch.arange(g, device=images.device) * side
            fraction = ((steps % g).float() / g).to(images.dtype)
            lower = first[:, :, None] + steps // g  # [N, 2, g]
            ends = [lower.clamp(0, size - 1), (lower + 1).clamp(0, size - 1)]
            channels = images.shape[1]
            across = between(
                images, [e[:, 1, None, None].expand(-1, channels, size, -1) for e in ends],
                fraction, 3)
            window = between(
                across, [e[:, 0, None, :, None].expand(-1, channels, -1, g) for e in ends],
                fraction[:, None], 2)
            if index >= resolutions:
                window = window.mean((2, 3), keepdim=True).expand_as(window)
            parts.append(window)
        return torch.cat(parts, 1)

    def step(self, images, places, resolutions, classification, location):
        features = self.glimpse.features(self.cut(images, places, resolutions)).float()
        classification = self.classificationCell(features, classification)
        location = self.locationCell(classification[0], location)
        mean = self.limit * torch.tanh(self.emission(location[0])).float().flatten(1)
        return self.logits(classification[0]).flatten(1), mean, classification, location

    def follow(self, images, glimpses, choose):
        """Logits, places and means of T glimpses."""
        lines = torch.linspace(-1, 1, self.image_size, device=images.device)
        lines = lines.expand(len(images), 1, self.image_size, -1)
        images = torch.cat([images, lines.transpose(2, 3), lines], 1)
        center = images.new_zeros(len(images), 2)
        _, mean, _, location = self.step(
            images, center, self.sizes["resolutions"], None, None)
        classification, found = None, []
        for _ in range(glimpses):
            place = choose(mean)
            logits, following, classification, location = self.step(
                images, place, self.sizes["classificationResolutions"], classification, location)
            found.append((logits, place, mean))
            mean = following
        return found

    def forward(self, images, glimpses):
        """Logits after 1, 2 … T glimpses [N, T, c], and their places (y, x), [N, T, 2]."""
        found = self.follow(images, glimpses, lambda mean: mean)
        logits = torch.stack([logits for logits, _, _ in found], 1)
        if self.sizes["prediction"] == "mean":
            count = torch.arange(1, glimpses + 1, device=logits.device)
            logits = logits.cumsum(1) / count[:, None]
        return logits, torch.stack([place for _, place, _ in found], 1)


def dram_loss(model, images, labels, settings):
    samples, deviation = settings["samples"], settings["deviation"]
    images, labels = images.repeat(samples, 1, 1, 1), labels.repeat(samples)

    def choose(mean):
        noisy = mean.detach() + deviation * torch.randn_like(mean)
        return noisy.clamp(-model.limit, model.limit)

    found = model.follow(images, settings["glimpses"], choose)
    logits = found[-1][0].float()
    reward = (logits.argmax(1) == labels).float()
    likelihood = sum(
        -((place - mean) ** 2).sum(1) / (2 * deviation ** 2) for _, place, mean in found)
    policy_loss = -samples * ((reward - reward.mean()) * likelihood).mean()
    return F.cross_entropy(logits, labels) + settings["reinforceWeight"] * policy_loss


# A second network on glimpses


def same(x, kernel, stride, value=0.0):
    """SAME margins: where they are odd, the pixel more stands at the end."""
    margins = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        margins += [total // 2, total - total // 2]
    return F.pad(x, margins, value=value) if any(margins) else x


class Depthwise(nn.Conv2d):
    def __init__(self, channels, kernel, stride):
        super().__init__(channels, channels, kernel, stride, groups=channels, bias=False)

    def forward(self, x):
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return F.conv2d(x, self.weight, padding=kernel // 2, groups=self.groups)
        return super().forward(same(x, kernel, stride))


class Separable(nn.Module):
    def __init__(self, settings, inputs, outputs, kernel, stride):
        super().__init__()
        self.depthwise1 = Depthwise(inputs, kernel, stride)
        self.pointwise1 = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm1 = norm(outputs, settings)
        self.depthwise2 = Depthwise(outputs, kernel, 1)
        self.pointwise2 = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.norm2 = norm(outputs, settings)

    def forward(self, x):
        x = self.norm1(self.pointwise1(self.depthwise1(F.relu(x))))
        return self.norm2(self.pointwise2(self.depthwise2(F.relu(x))))


class Factorized(nn.Module):
    """Halves height and width: every second pixel, beside it those one further down and right."""

    def __init__(self, settings, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
        self.conv2 = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
        self.norm = norm(outputs, settings)

    def forward(self, x):
        moved = F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat(
            [self.conv1(x[:, :, ::2, ::2]), self.conv2(moved[:, :, ::2, ::2])], 1))


# Left and right branch of each pair: kernel of a separable convolution or what else, and of what.
NORMAL = (
    ((5, "current"), (3, "previous")), ((5, "previous"), (3, "previous")),
    (("mean", "current"), ("same", "previous")), (("mean", "previous"), ("mean", "previous")),
    ((3, "current"), ("same", "current")))
REDUCTION = (
    ((5, "current"), (7, "previous")), (("largest", "current"), (7, "previous")),
    (("mean", "current"), (5, "previous")), (("same", 1), ("mean", 0)),
    ((3, 0), ("largest", "current")))


class NASNetCell(nn.Module):
    """A normal cell or, with stride 2, a reduction."""

    def __init__(self, settings, current, previous, filters, reduces, adjusting, zeros):
        super().__init__()
        self.reduces, self.zeros = reduces, zeros
        self.pairs = REDUCTION if reduces else NORMAL
        self.channels = (4 if reduces else 6) * filters
        self.current = ConvNorm(settings, current, filters)
        self.previous, inputs = None, filters
        if adjusting == "none":
            inputs = previous
        elif adjusting == "factorized":
            self.previous = Factorized(settings, previous, filters)
        else:
            self.previous = ConvNorm(settings, previous, filters)
        for number, pair in enumerate(self.pairs):
            branches = nn.Module()
            for side, (what, source) in zip(("left", "right"), pair):
                if isinstance(what, int):
                    branches.add_module(side, Separable(
                        settings, inputs if source == "previous" else filters, filters, what,
                        self.stride(source)))
            self.add_module(f"pair{number}", branches)

    def stride(self, source):
        return 2 if self.reduces and not isinstance(source, int) else 1

    def branch(self, what, x, stride, module):
        if what == "same":
            return x
        if what == "largest":
            return F.max_pool2d(same(x, 3, stride, float("-inf")), 3, stride)
        if what != "mean":
            return module(x)
        if stride == 1:
            return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        if self.zeros:
            return F.avg_pool2d(same(x, 3, stride), 3, stride)
        # Over the pixels that exist, where the margins may be uneven.
        one = torch.ones_like(x[:1, :1])
        return F.avg_pool2d(same(x, 3, stride), 3, stride) / F.avg_pool2d(
            same(one, 3, stride), 3, stride)

    def forward(self, current, previous):
        values = {"current": self.current(F.relu(current)), "previous": previous}
        if self.previous is not None:
            values["previous"] = self.previous(F.relu(previous))
        for number, pair in enumerate(self.pairs):
            branches = getattr(self, f"pair{number}")
            left, right = (
                self.branch(what, values[source], self.stride(source),
                            getattr(branches, side, None))
                for side, (what, source) in zip(("left", "right"), pair))
            values[number] = left + right
        parts = [1, 2, 3, 4] if self.reduces else ["previous", 0, 1, 2, 3, 4]
        return torch.cat([values[part] for part in parts], 1)


class NASNet(nn.Module):
    """NASNet-A, wired as TensorFlow's slim has it."""

    PATH = "nasnet."

    def __init__(self, settings):
        super().__init__()
        sizes = settings["nasnet"]
        norms = {"batchNorm": {
            "epsilon": sizes["normEpsilon"], "momentum": sizes["normMomentum"]}}
        filters, count = sizes["filters"], sizes["cellsPerGroup"]
        self.stem = ConvNorm(norms, 3, sizes["stemChannels"], 3, stride=2)
        channels, self.cells = [sizes["stemChannels"]], []

        def add(name, filters, reduces, current, previous, adjusting):
            cell = NASNetCell(
                norms, channels[current], channels[previous], filters, reduces, adjusting,
                sizes.get("poolPadding", "excluded") == "zeros")
            self.add_module(name, cell)
            self.cells.append((name, current, previous))
            channels.append(cell.channels)

        add("stemCell0", filters // 4, True, 0, 0, "none")
        add("stemCell1", filters // 2, True, 1, 0, "factorized")
        for group in range(3):
            previous = len(channels) - 2
            if group:
                last = len(channels) - 1
                add(f"reduction{group - 1}", filters << group, True, last, last - 1, "pointwise")
                previous = last - 1 if sizes["skipReductionInput"] else last
            for cell in range(count):
                last = len(channels) - 1
                add(f"cell{group * count + cell}", filters << group, False, last, previous,
                    "pointwise" if cell else "factorized")
                previous = last
        self.dropout = nn.Dropout(float(sizes["dropout"]))
        self.logits = nn.Conv2d(channels[-1], settings["classes"], 1)

    def forward(self, x):
        outputs = [self.stem(x)]
        for name, current, previous in self.cells:
            outputs.append(getattr(self, name)(outputs[current], outputs[previous]))
        features = F.relu(outputs[-1]).mean((2, 3), keepdim=True)
        return self.logits(self.dropout(features)).flatten(1)


class ResNetV2(Classifier):
    PATH = "classifier."

    def __init__(self, settings):
        super().__init__(settings)
        self.pixels = {}  # those of `glimpse` hold


def triangles(source, target):
    """What brings lines of patches to another number: [target, source]."""
    scale = source / target
    width = max(1.0, scale)
    place = torch.arange(source, dtype=torch.float64) + 0.5
    middle = (torch.arange(target, dtype=torch.float64) + 0.5) * scale
    weights = (1 - (place - middle[:, None]).abs() / width).clamp_min(0)
    return (weights / weights.sum(1, keepdim=True)).float()


class Glimpses(nn.Module):
    """A frozen model that says where, and the network that classifies the patches there."""

    def __init__(self, config):
        super().__init__()
        settings, glimpse, data = config["model"], config["glimpse"], config["data"]
        self.settings, self.size = glimpse, data["imageSize"]
        self.larger = data.get("patchImageSize") or self.size
        family = glimpse.get("locatorFamily", "saccader")
        self.locator = None
        if family != "none":
            self.locator = (
                DRAM(settings, self.size) if family == "dram" else Saccader(settings))
            self.locator.eval().requires_grad_(False)
        if family == "dram":
            field, self.grid = settings["dram"]["glimpseSize"], None
        else:
            field, self.grid = receptive_field(settings["representation"], self.size)
        self.field = field
        self.network = {"nasnet": NASNet, "resnetv2": ResNetV2}[glimpse["network"]](settings)
        self.side = self.larger  # of a patch
        if self.locator is not None:
            self.side = glimpse.get("windowSize", 0) or field * self.larger // self.size
        self.pixels = glimpse.get("pixels", {})
        size = glimpse.get("patchSize", 0) or self.side
        resampling = None if size == self.side else triangles(self.side, size)
        self.register_buffer("resampling", resampling, persistent=False)

    def prefixes(self):
        """How names begin here, and in a file."""
        locator = {} if self.locator is None else {"locator.": self.locator.PREFIX}
        return {"network.": self.network.PATH, **locator}

    def train(self, mode=True):
        super().train(mode)
        if self.locator is not None:
            self.locator.eval()
        return self

    def corner(self, first):
        """The first row or column of the patch of a field that begins at `first`."""
        field, small, large, side = self.field, self.size, self.larger, self.side
        if self.settings.get("alignment") == "reference" and self.grid:
            stride, count = self.grid
            if count == 1:
                return (large * field - side * small) // (2 * small)
            index, gaps = first // stride, count - 1
            return (large * (field * gaps + 2 * index * (small - field)) - side * small * gaps
                    ) // (2 * small * gaps)
        place = ((2 * first + field) * large - (side - 1) * small) // (2 * small)
        return min(max(place, 0), max(0, large - side))

    def corners(self, places):
        """The first row and column of the patches at places, [N, T, 2]."""
        if self.grid is None:
            first = torch.floor(
                (self.size * (places.double() + 1) - self.field) / 2 + 2 ** -10).long()
        else:
            stride, count = self.grid
            first = torch.stack([places // count, places % count], 2) * stride
        corners = [self.corner(number) for number in first.flatten().tolist()]
        return first.new_tensor(corners).reshape(first.shape)

    def classify(self, patches):
        """Logits of patches, [N, c]."""
        patches = rescaled(patches, self.pixels)
        if self.resampling is not None:
            patches = self.resampling @ (patches @ self.resampling.T)
        return self.network(patches.contiguous(memory_format=torch.channels_last))

    def forward(self, images, glimpses, larger=None):
        """Averaged logits after 1, 2 … T glimpses [N, T, c], and the locator's places."""
        larger = images if larger is None else larger
        if self.locator is None:
            raise ValueError("the file holds a network without the model that says where: "
                             "give images to model.classify")
        with torch.no_grad():
            if self.grid is None:
                places = self.locator(images, glimpses)[1]
            else:
                places = infer(self.locator, images, glimpses)[1]
        side, last, patches = torch.arange(self.side), self.larger - 1, []
        for image, corners in zip(larger, self.corners(places).tolist()):
            for y, x in corners:
                rows, columns = ((first + side).clamp(0, last) for first in (y, x))
                patches.append(image[:, rows[:, None], columns])
        logits = self.classify(torch.stack(patches)).unflatten(0, (-1, glimpses)).float()
        count = torch.arange(1, glimpses + 1, device=logits.device)
        return logits.cumsum(1) / count[:, None], places


def receptive_field(sizes, image_size):
    """The side of what a location of a Saccader sees; stride and number of locations in a line."""
    field, stride, size = 3, 1, image_size - 2
    for group, count in enumerate(sizes["blocks"]):
        for block in range(count):
            kernel = 3 if block < sizes["kernel3"][group] else 1
            step = sizes["strides"][group] if block == 0 else 1
            field += (kernel - 1) * stride
            size = (size - kernel) // step + 1
            stride *= step
    return field, (stride, size)


# Files


def read(path):
    """Arrays and metadata of a safetensors file, single precision."""
    data = Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    types = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
             "F64": torch.float64, "I64": torch.int64}
    arrays, body = {}, bytearray(data[8 + length:])
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        if first == end:
            arrays[name] = torch.empty(entry["shape"], dtype=types[entry["dtype"]])
            continue
        array = torch.frombuffer(body[first:end], dtype=types[entry["dtype"]])
        arrays[name] = array.reshape(entry["shape"])
    return arrays, metadata


def load(path):
    """The model of a file, in inference mode; its metadata are `model.metadata`."""
    arrays, metadata = read(path)
    config, family = json.loads(metadata["config"]), metadata["family"]
    settings, size = config["model"], config["data"]["imageSize"]
    if family == "saccader":
        model = Saccader(settings)
    elif family == "classifier":
        model = Classifier(settings)
    elif family == "dram":
        model = DRAM(settings, size)
    elif family == "glimpseClassifier":
        model = Glimpses(config)
    else:
        raise ValueError(f"{path}: holds a model of the family {family}, which is not built here")
    state = {}
    for name, array in arrays.items():
        own, theirs = next(
            (pair for pair in prefixes(model).items() if name.startswith(pair[1])), ("", ""))
        state[own + name.removeprefix(theirs)] = array
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path}: lacks {missing[:3]}, has {unexpected[:3]} beside the model's")
    model.metadata, model.config = metadata, config
    return model.eval()


def prefixes(model):
    """How names of arrays begin in a model, and in its file; the file's most special first."""
    return model.prefixes() if isinstance(model, Glimpses) else {"": model.PREFIX}


def save(model, path):
    """Writes a model that `load` made, with its metadata, for `saccader-dist import`."""
    state = {}
    for name, array in sorted(model.state_dict().items()):
        if not name.endswith("num_batches_tracked"):
            own, theirs = next(p for p in prefixes(model).items() if name.startswith(p[0]))
            state[theirs + name.removeprefix(own)] = array.detach().float().cpu().contiguous()
    header, place = {"__metadata__": model.metadata}, 0
    for name, array in state.items():
        end = place + 4 * array.numel()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in state.values():
            file.write(array.reshape(-1).view(torch.uint8).numpy().tobytes())


# Pictures


def decoded(path, data):
    """A picture's red, green and blue, [H, W, 3] of whole numbers."""
    from PIL import Image, ImageOps
    picture = Image.open(path)
    if data.get("orientation", "ignore") == "exif":
        picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # grey of 16 bits, which Pillow would cut off at 255
        deep = torch.tensor(list(picture.getdata()), dtype=torch.int64)
        grey = ((deep * 255 + 32895) >> 16).to(torch.uint8)
        return grey.reshape(picture.height, picture.width, 1).expand(-1, -1, 3)
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        grounds = {"white": 255, "black": 0, "grey": 128}
        background = grounds.get(data.get("transparency", "drop"))
        picture = picture.convert("RGBA")
        if background is not None:
            ground = Image.new("RGB", picture.size, (background,) * 3)
            ground.paste(picture, mask=picture.getchannel("A"))
            picture = ground
    picture = picture.convert("RGB")
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return pixels.reshape(picture.height, picture.width, 3)


def resampled(pixels, size):
    """Antialiased bicubic resampling of the first dimension to whole numbers (a = −0.5)."""
    scale = pixels.shape[0] / size
    widening = max(1.0, scale)
    support = 2 * widening

    def cubic(x):
        x = abs(x)
        if x < 1:
            return ((-0.5 + 2) * x - (-0.5 + 3)) * x * x + 1
        return (((x - 5) * x + 8) * x - 4) * -0.5 if x < 2 else 0.0

    lines = []
    for target in range(size):
        center = (target + 0.5) * scale
        low = max(0, int(center - support + 0.5))
        high = min(pixels.shape[0], int(center + support + 0.5))
        weights = [cubic((source - center + 0.5) / widening) for source in range(low, high)]
        total = 0.0
        for weight in weights:
            total += weight
        line = torch.full(pixels.shape[1:], 0.5)
        for source, weight in zip(range(low, high), weights):
            line += pixels[source] * torch.tensor(weight / total if total else weight)
        lines.append(line.clamp(0, 255).floor())
    return torch.stack(lines)


def resampled_legacy(pixels, size, dim):
    """As TensorFlow 1's resize_bicubic: no antialiasing, no half pixel, a = −0.75."""
    a, extent = -0.75, pixels.shape[dim]
    place = torch.arange(size, dtype=torch.float32) * torch.tensor(extent / size)
    whole = place.floor()
    part = ((place - whole) * 1024).round() / 1024

    def inner(x):
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def outer(x):
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    taps = zip((-1, 0, 1, 2), (outer(part + 1), inner(part), inner(1 - part), outer(2 - part)))
    shape = [size if d == dim else 1 for d in range(pixels.dim())]
    return sum(
        pixels.index_select(dim, (whole.long() + offset).clamp(0, extent - 1))
        * weights.reshape(shape) for offset, weights in taps)


def squared(path, data, size, whole):
    """A picture's central square, or all of it, [size, size, 3], 0…255."""
    pixels = decoded(path, data).float()
    if not whole:
        height, width, _ = pixels.shape
        part = size / (size + data["centralCropMargin"])
        side = max(1, math.floor(min(height, width) * part + 0.5))
        top, left = math.floor((height - side) / 2), math.floor((width - side) / 2)
        pixels = pixels[top:top + side, left:left + side]
    if data.get("resize", "antialias") == "legacy":
        return resampled_legacy(resampled_legacy(pixels, size, 0), size, 1)
    return antialiased(pixels, size)


def antialiased(pixels, size):
    if pixels.shape[:2] == (size, size):
        return pixels
    # Horizontally first, with whole numbers in between.
    pixels = resampled(pixels.transpose(0, 1), size).transpose(0, 1)
    return resampled(pixels, size)


def standardized(pixels):
    """[1, 3, H, W] of [H, W, 3]."""
    mean, deviation = torch.tensor(MEAN), torch.tensor(DEVIATION)
    pixels = pixels * (1 / (255 * deviation)) + -mean / deviation
    return pixels.permute(2, 0, 1)[None].contiguous()


def prepare(path, model, whole=False):
    """A picture as evaluation shows it to the model, [1, 3, H, H]: the central square, or all."""
    return prepare_both(path, model, whole)[0]


def prepare_both(path, model, whole=False):
    """The same, and the larger picture that patches are cut out of, [1, 3, S, S]; it may be one."""
    data = model.config["data"]
    size, larger = data["imageSize"], data["imageSize"]
    if isinstance(model, Glimpses):
        larger = model.larger
    pixels = squared(path, data, larger, whole)
    if larger == size:
        return (standardized(pixels),) * 2
    # The smaller picture is scaled down from whole numbers of the larger one.
    small = antialiased((pixels.clamp(0, 255) + 0.5).floor(), size)
    return standardized(small), standardized(pixels)


def class_names(model):
    """What the logits stand for."""
    names = json.loads(model.metadata.get("classes", "[]"))
    count = model.config["model"]["classes"]
    return [entry["words"] or str(i) for i, entry in enumerate(names)] or [*map(str, range(count))]


def main():
    parser = argparse.ArgumentParser(description="Classifies pictures.")
    parser.add_argument("pictures", nargs="+")
    default = Path(__file__).with_name("model.safetensors")
    parser.add_argument("--weights", default=str(default))
    parser.add_argument("--glimpses", type=int, default=6)
    options = parser.parse_args()
    if options.glimpses < 1:
        parser.error("--glimpses: give at least 1")
    model = load(options.weights)
    names = class_names(model)
    for path in options.pictures:
        with torch.inference_mode():
            image, larger = prepare_both(path, model)
            if isinstance(model, Classifier):
                logits, places = model(image)[0], None
            elif isinstance(model, Glimpses) and model.locator is None:
                logits, places = model.classify(larger)[0], None
            elif isinstance(model, Glimpses):
                logits, places = model(image, options.glimpses, larger)
                logits, places = logits[0, -1], model.corners(places)[0].tolist()
            elif isinstance(model, Saccader) and model.metadata["stage"] == "representation":
                logits, places = model.without_attention(image)[0], None
            else:
                logits, places = model(image, options.glimpses)
                logits, places = logits[0, -1], places[0].tolist()
        chance = logits.softmax(0)
        print(json.dumps({
            "picture": path, "class": names[int(chance.argmax())],
            "probability": round(float(chance.max()), 6), "places": places,
            "logits": [round(float(x), 6) for x in logits]}))


if __name__ == "__main__":
    sys.exit(main())
