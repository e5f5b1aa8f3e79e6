"""Makes augmentation.json: random crops and changes of colour as torchvision has them.

Usage: python make_augmentation.py augmentation.json      (needs torch, torchvision)

Random numbers are not drawn but given, so that another program can be given the same: `uniforms`
are the numbers in [0, 1) of one crop, in the order area, aspect, left, top for the part that fits
and area, aspect for each that does not.
"""

import json
import random
import sys

import torch
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms import functional

numbers = random.Random(5)


def crop(width, height, area, aspect):
    """RandomResizedCrop.get_params with given numbers, in double precision."""
    given, used = [numbers.random() for _ in range(40)], []

    class Number:
        def uniform_(self, low, high):
            used.append(given[len(used)])
            return torch.tensor(low + (high - low) * used[-1], dtype=torch.float64)

    places = []

    def randint(low, high, size):
        # The program draws the left border first, torchvision the upper one.
        places.append(given[len(used) + 1 - len(places)])
        return torch.tensor([int(places[-1] * high)])

    log, real = torch.log, (torch.empty, torch.randint, torch.tensor)
    torch.empty, torch.randint = (lambda *a: Number()), randint
    torch.tensor = lambda x, dtype=torch.float64: real[2](x, dtype=dtype)
    try:
        image = real[2]([]).new_zeros(3, height, width)
        top, left, tall, wide = RandomResizedCrop.get_params(image, area, aspect)
    finally:
        torch.empty, torch.randint, torch.tensor = real
    return {
        "width": width, "height": height, "area": area, "aspect": aspect,
        "uniforms": used + list(reversed(places)), "box": [left, top, wide, tall],
    }


crops = []
for width, height in [(100, 80), (80, 100), (64, 64), (500, 40), (30, 400), (7, 5), (1, 1)]:
    for area, aspect in [
        ([0.25, 0.5], [0.75, 1.333]), ([0.9, 1.0], [0.75, 1.333]), ([1.0, 1.0], [1.0, 1.0]),
        ([0.05, 1.0], [0.2, 5.0]), ([1.0, 1.0], [0.5, 2.0]),
    ]:
        crops += [crop(width, height, area, aspect) for _ in range(3)]

pixels = [[[numbers.random() for _ in range(3)] for _ in range(6)] for _ in range(4)]
# Greys, pure colours, black and white are where hue has borders.
pixels[0] = [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
pixels[1][:3] = [[1, 1, 0], [0, 1, 1], [1, 0, 1]]
image = torch.tensor(pixels, dtype=torch.float64).permute(2, 0, 1)
operations = {
    "brightness": functional.adjust_brightness, "contrast": functional.adjust_contrast,
    "saturation": functional.adjust_saturation, "hue": functional.adjust_hue,
}
changes = []
for steps in (
    [[("brightness", f)] for f in (0.0, 0.4, 1.7)]
    + [[("contrast", f)] for f in (0.0, 0.3, 1.9)]
    + [[("saturation", f)] for f in (0.0, 0.6, 2.5)]
    + [[("hue", f)] for f in (-0.5, -0.2, 0.05, 0.31, 0.5)]
    + [
        [("hue", 0.1), ("contrast", 1.4), ("brightness", 0.8), ("saturation", 1.6)],
        [("saturation", 0.5), ("brightness", 1.5), ("hue", -0.3), ("contrast", 0.7)],
    ]
):
    result = image
    for name, factor in steps:
        result = operations[name](result, factor)
    changes.append({
        "steps": [{"name": name, "factor": factor} for name, factor in steps],
        "pixels": result.permute(1, 2, 0).flatten().tolist(),
    })

with open(sys.argv[1], "w") as file:
    json.dump(
        {"crops": crops, "pixels": torch.tensor(pixels).flatten().tolist(), "changes": changes},
        file)
