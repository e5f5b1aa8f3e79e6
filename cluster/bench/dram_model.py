"""The DRAM in plain PyTorch, as its users would write it: the other side of the comparison.

The same networks and losses as saccader-dist's (Ba, Mnih, Kavukcuoglu, arXiv 1412.7755, as the
Saccader's authors built it), read from the same YAML settings; channels-last, torch.nn only.
"""

import torch
from torch import nn
from torch.nn import functional as F


class PreActivation(nn.Module):
    """A residual block of ResNet v2; the stride stands in a group's last block."""

    def __init__(self, inputs, planes, outputs, stride):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (
            nn.BatchNorm2d(n) for n in (inputs, planes, planes))
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.conv3 = nn.Conv2d(planes, outputs, 1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride) if inputs != outputs else None
        self.stride = stride

    def forward(self, x):
        p = F.relu(self.norm1(x))
        y = F.relu(self.norm2(self.conv1(p)))
        y = F.relu(self.norm3(self.conv2(y)))
        kept = x if self.stride == 1 else x[:, :, ::self.stride, ::self.stride]
        return self.conv3(y) + (kept if self.shortcut is None else self.shortcut(p))


class Glimpse(nn.Module):
    """From a glimpse of R windows to features."""

    def __init__(self, sizes):
        super().__init__()
        channels = sizes["stemChannels"]
        self.stem = nn.Conv2d(5 * sizes["resolutions"], channels, 7, 2, 3)
        blocks = []
        for planes, count, stride in zip(sizes["planes"], sizes["blocks"], sizes["strides"]):
            for block in range(count):
                outputs = planes * sizes["expansion"]
                blocks.append(PreActivation(
                    channels, planes, outputs, stride if block == count - 1 else 1))
                channels = outputs
        self.blocks, self.norm = nn.Sequential(*blocks), nn.BatchNorm2d(channels)
        self.channels = channels

    def forward(self, x):
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        return F.relu(self.norm(self.blocks(x))).mean((2, 3))


class DRAM(nn.Module):
    def __init__(self, settings, image_size):
        super().__init__()
        sizes = settings["dram"]
        self.sizes, self.image_size = sizes, image_size
        g, count = sizes["glimpseSize"], sizes["resolutions"]
        last = max(1, count - 1)
        self.sides = [(g * last + (image_size - g) * i) // last for i in range(count)]
        self.limit = 1 - g / image_size
        self.glimpse = Glimpse(sizes)
        self.classification = nn.LSTMCell(self.glimpse.channels, sizes["classificationUnits"])
        self.location = nn.LSTMCell(sizes["classificationUnits"], sizes["locationUnits"])
        self.logits = nn.Linear(sizes["classificationUnits"], settings["classes"])
        self.emission = nn.Linear(sizes["locationUnits"], 2)

    def cut(self, images, places, resolutions):
        """R windows around (y, x), [B, 5R, g, g]; the wide ones flat unless they are to be seen."""
        g, size, parts = self.sizes["glimpseSize"], self.image_size, []
        steps = torch.arange(g, dtype=torch.float32)
        for index, side in enumerate(self.sides):
            first = torch.floor((size * (places + 1) - side) / 2 + 2 ** -10)
            pixels = (first[:, :, None] + steps * side / g).clamp(0, size - 1)
            grid = 2 * pixels / (size - 1) - 1
            grid = torch.stack([
                grid[:, 1, None, :].expand(-1, g, -1), grid[:, 0, :, None].expand(-1, -1, g)], 3)
            window = F.grid_sample(images, grid, padding_mode="border", align_corners=True)
            if index >= resolutions:
                window = window.mean((2, 3), keepdim=True).expand_as(window)
            parts.append(window)
        return torch.cat(parts, 1).contiguous(memory_format=torch.channels_last)

    def step(self, images, places, resolutions, classification, location):
        features = self.glimpse(self.cut(images, places, resolutions)).float()
        classification = self.classification(features, classification)
        location = self.location(classification[0], location)
        mean = self.limit * torch.tanh(self.emission(location[0])).float()
        return self.logits(classification[0]), mean, classification, location

    def follow(self, images, glimpses, choose):
        """Logits, places and means of T glimpses."""
        lines = torch.linspace(-1, 1, self.image_size).expand(len(images), 1, self.image_size, -1)
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
