#!/usr/bin/env python3
"""Writes windows.h5: layers of NASNet's cells on random shapes, by PyTorch in double precision.

Each group is a case: attributes say which layer, `input` and `upstream` what it gets, `parameters`
its numbers, and `output`, `inputGradient` and `gradients` what comes of them. All are [N, H, W, C]
and kernels [k, k, in, out], in single precision, in which the inputs are exact.

    python3 make_windows.py
"""

import pathlib

import h5py
import numpy as np
import torch
import torch.nn.functional as functional

EPSILON = 1e-3
# A ReLU's input nearer to 0 than this could have another sign in single precision.
MARGIN = 2e-4
random = np.random.default_rng(17)


def same(size, kernel, stride):
    """TensorFlow's SAME: the smaller half of the margin stands before."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def padded(x, kernel, stride, value=0.0):
    top, bottom = same(x.shape[2], kernel, stride)
    left, right = same(x.shape[3], kernel, stride)
    return functional.pad(x, (left, right, top, bottom), value=value)


def depthwise(x, kernel, stride):
    side, channels = kernel.shape[0], kernel.shape[2]
    weight = kernel.permute(2, 3, 0, 1)
    return functional.conv2d(padded(x, side, stride), weight, stride=stride, groups=channels)


def pointwise(x, kernel):
    return functional.conv2d(x, kernel.permute(3, 2, 0, 1))


def norm(x, gamma, beta):
    return functional.batch_norm(x, None, None, gamma, beta, training=True, eps=EPSILON)


class Layers:
    """Each gets the input and the case, asks for its parameters by name, and notes what ReLUs read."""

    def __init__(self, parameter, case):
        self.parameter, self.case, self.rectified = parameter, case, []

    def relu(self, x):
        self.rectified.append(x)
        return torch.relu(x)

    def depthwise(self, x):
        k, channels = self.case["kernel"], self.case["channels"]
        return depthwise(
            self.relu(x), self.parameter("kernel", [k, k, channels, 1]), self.case["stride"])

    def separable(self, x):
        k, inputs, outputs = (self.case[key] for key in ("kernel", "channels", "outputs"))
        for number, (channels, stride) in enumerate([(inputs, self.case["stride"]), (outputs, 1)], 1):
            x = depthwise(
                self.relu(x), self.parameter(f"depthwise{number}/kernel", [k, k, channels, 1]),
                stride)
            x = pointwise(
                x, self.parameter(f"pointwise{number}/kernel", [1, 1, channels, outputs]))
            x = self.norm(x, f"norm{number}", outputs)
        return x

    def norm(self, x, name, channels):
        return norm(
            x, self.parameter(f"{name}/gamma", [channels]),
            self.parameter(f"{name}/beta", [channels]))

    def factorized(self, x):
        inputs, outputs = self.case["channels"], self.case["outputs"]
        x = self.relu(x)
        moved = functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        halves = [
            pointwise(
                part[:, :, ::2, ::2],
                self.parameter(f"conv{number}/kernel", [1, 1, inputs, outputs // 2]))
            for number, part in enumerate([x, moved], 1)]
        return self.norm(torch.cat(halves, 1), "norm", outputs)

    def average(self, x):
        k, stride = self.case["kernel"], self.case["stride"]
        total = functional.avg_pool2d(padded(x, k, stride), k, stride)
        if self.case["padding"] == "zeros":
            return total
        ones = torch.ones_like(x[:1, :1])
        return total / functional.avg_pool2d(padded(ones, k, stride), k, stride)

    def maximum(self, x):
        k, stride = self.case["kernel"], self.case["stride"]
        return functional.max_pool2d(padded(x, k, stride, -torch.inf), k, stride)


def draw(shape, scale=1.0):
    # In single precision, so that both sides begin with the same numbers.
    return (random.standard_normal(shape) * scale).astype(np.float32)


def make(case):
    """Computes a case; None where a ReLU is near its kink."""
    shape = [case[key] for key in ("images", "height", "width", "channels")]
    arrays, leaves = {"input": draw(shape)}, {}

    def leaf(array):
        return torch.tensor(array.astype(np.float64), requires_grad=True)

    def parameter(name, shape):
        fan = np.prod(shape[:-1]) if len(shape) > 1 else 4
        array = draw(shape, 1 / np.sqrt(fan)) + np.float32(name.endswith("gamma"))
        arrays[f"parameters/{name}"] = array
        leaves[name] = leaf(array)
        return leaves[name]

    x = leaf(arrays["input"])
    layers = Layers(parameter, case)
    output = getattr(layers, case["layer"])(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    if any(value.abs().min() < MARGIN for value in layers.rectified):
        return None
    arrays["output"] = output.detach().numpy()
    arrays["upstream"] = draw(output.shape)
    output.backward(torch.tensor(arrays["upstream"].astype(np.float64)))
    arrays["inputGradient"] = x.grad.numpy()
    for name, value in leaves.items():
        arrays[f"gradients/{name}"] = value.grad.numpy()
    return arrays


def cases():
    for layer, count in [("depthwise", 5), ("separable", 4), ("factorized", 2), ("average", 4),
                         ("maximum", 2)]:
        for number in range(count):
            pools = layer in ("average", "maximum")
            images, height = 1 + number % 3, int(random.integers(3, 10))
            width = int(random.integers(3, 10))
            # As many numbers as keep the file small.
            most = max(3, min(19, 480 // (images * height * width)))
            yield dict(
                layer=layer, images=images, height=height, width=width,
                channels=int(random.integers(max(3, most // 2), most + 1)),
                kernel=3 if pools else (5, 7, 3)[number % 3], stride=1 + number % 2,
                outputs=2 * int(random.integers(2, 4)),
                padding="zeros" if number % 4 > 1 else "excluded")


def main():
    torch.manual_seed(0)
    path = pathlib.Path(__file__).with_name("windows.h5")
    with h5py.File(path, "w", libver="latest") as file:
        for number, case in enumerate(cases()):
            arrays = None
            while arrays is None:
                arrays = make(case)
            group = file.create_group(f"case{number:02d}")
            for key, value in case.items():
                group.attrs[key] = str(value)
            for name, array in arrays.items():
                group.create_dataset(name, data=np.asarray(array, np.float32))
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
