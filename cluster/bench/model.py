"""The Saccader in plain PyTorch, as its users would write it: the other side of the comparison.

The same networks and losses as saccader-dist's (Elsayed, Kornblith, Le, NeurIPS 2019), read from
the same YAML settings; channels-last, modules of torch.nn only.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


def conv_norm(inputs, outputs, kernel=1, **options):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, bias=False, **options), nn.BatchNorm2d(outputs))


class Bottleneck(nn.Module):
    def __init__(self, inputs, planes, outputs, kernel, stride):
        super().__init__()
        self.first = conv_norm(inputs, planes)
        self.middle = conv_norm(planes, planes, kernel, stride=stride)
        self.last = conv_norm(planes, outputs)
        self.crop = (kernel - 1) // 2
        projects = stride != 1 or inputs != outputs
        self.shortcut = conv_norm(inputs, outputs, stride=stride) if projects else None

    def forward(self, x):
        main = F.relu(self.middle(F.relu(self.first(x))))
        main = self.last(main)
        if self.crop:
            x = x[:, :, self.crop:-self.crop, self.crop:-self.crop]
        return F.relu(main + (x if self.shortcut is None else self.shortcut(x)))


class Representation(nn.Module):
    """BagNet-77-lowD: features, "what" features and logits at every location."""

    def __init__(self, settings):
        super().__init__()
        sizes = settings["representation"]
        channels = sizes["stemChannels"]
        self.stem = conv_norm(3, channels, 3)
        blocks = []
        for group, count in enumerate(sizes["blocks"]):
            for block in range(count):
                planes = sizes["planes"][group]
                outputs = planes * sizes["expansion"]
                blocks.append(Bottleneck(
                    channels, planes, outputs, 3 if block < sizes["kernel3"][group] else 1,
                    sizes["strides"][group] if block == 0 else 1))
                channels = outputs
        self.blocks = nn.Sequential(*blocks)
        what = channels // sizes["lowDDivisor"]
        self.low_d = conv_norm(channels, what)
        self.logits = nn.Conv2d(what, settings["classes"], 1)
        self.channels, self.what_channels = channels, what

    def forward(self, x):
        features = self.blocks(F.relu(self.stem(x)))
        what = F.relu(self.low_d(features))
        return features, what, self.logits(what)


class Attention(nn.Module):
    def __init__(self, settings, channels):
        super().__init__()
        layers = []
        for _ in range(settings["attention"]["groups"]):
            width, dilation = channels // 2, settings["attention"]["dilation"]
            layers += [conv_norm(channels, width), nn.ReLU()]
            for _ in range(settings["attention"]["layersPerGroup"] - 1):
                layers += [
                    conv_norm(width, width, 3, padding=dilation, dilation=dilation), nn.ReLU()]
            channels = width
        self.layers, self.channels = nn.Sequential(*layers), channels

    def forward(self, x):
        return self.layers(x)


class Saccader(nn.Module):
    PENALTY = 1e5

    def __init__(self, settings):
        super().__init__()
        self.representation = Representation(settings)
        self.attention = Attention(settings, self.representation.channels)
        self.mixing = nn.Conv2d(
            self.attention.channels + self.representation.what_channels,
            settings["mixedFeatures"], 1)
        self.a = nn.Parameter(torch.randn(settings["mixedFeatures"]))

    def mix(self, features, what):
        mixed = self.mixing(torch.cat([self.attention(features), what], dim=1))
        return mixed.flatten(2).transpose(1, 2).float()  # [B, P, d]

    def step(self, mixed, visited):
        """Equations 1–3: the policy's logits, given what was visited, [B, P]."""
        attention = mixed @ self.a / math.sqrt(mixed.shape[2]) - self.PENALTY * visited
        weights = torch.einsum("bpd,bp->bd", mixed, attention.softmax(1)).softmax(1)
        return torch.einsum("bpd,bd->bp", mixed, weights) - self.PENALTY * visited

    def follow(self, mixed, glimpses, choose):
        """Logits and places of a trajectory, [B, T, P] and [B, T]."""
        visited = mixed.new_zeros(mixed.shape[:2])
        logits, places = [], []
        for glimpse in range(glimpses):
            logits.append(self.step(mixed, visited))
            places.append(choose(logits[-1], glimpse))
            visited = visited.scatter(1, places[-1][:, None], 1.0)
        return torch.stack(logits, 1), torch.stack(places, 1)


def infer(model, images, glimpses):
    """Logits at all places and the places that the policy chooses, by argmax."""
    features, what, logits = model.representation(images)
    _, places = model.follow(
        model.mix(features, what), glimpses, lambda policy, _: policy.argmax(1))
    return logits, places


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
    classes = logits.flatten(2).transpose(1, 2).float()  # [B, P, c]
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
