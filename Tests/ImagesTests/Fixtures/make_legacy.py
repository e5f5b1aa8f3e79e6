"""Writes what TensorFlow 1's bicubic resize makes of parts of the small photographs.

python3 make_legacy.py (needs numpy, pillow; --check compares the formula with TensorFlow's own).

The formula, after the operation's definition: target pixel i reads around i·source/target, without
the half pixel; the cubic has a = -0.75 and is tabulated in steps of 1/1024; four source pixels
make a target pixel however much smaller it gets, and the border repeats.
"""
import pathlib
import sys

import numpy
from PIL import Image

here = pathlib.Path(__file__).parent


def matrix(source, target):
    """[target, source]: the weights of the source pixels."""
    result = numpy.zeros((target, source))
    places = numpy.arange(target, dtype=numpy.float32) * numpy.float32(source / target)
    for i, place in enumerate(places):
        whole = int(numpy.floor(place))
        part = numpy.rint((place - numpy.float32(whole)) * numpy.float32(1024)) / 1024
        for tap in range(-1, 3):
            x, a = abs(part - tap), -0.75
            weight = ((a + 2) * x**3 - (a + 3) * x**2 + 1) if x <= 1 else a * (x**3 - 5 * x**2 + 8 * x - 4)
            result[i, min(max(whole + tap, 0), source - 1)] += weight
    return result


def resize(part, size):
    part = part.astype(numpy.float64)
    return numpy.einsum("yi,ijc,xj->yxc", matrix(part.shape[0], size), part, matrix(part.shape[1], size))


for name, box, size in [
    ("chelsea", (0, 0, 113, 75), 48), ("coffee", (11, 7, 97, 66), 32), ("rocket", (30, 20, 70, 60), 56),
    ("astronaut", (40, 40, 64, 64), 24), ("astronaut", (3, 1, 94, 92), 9),
]:
    left, top, right, bottom = box
    part = numpy.asarray(Image.open(here / f"{name}.jpg").convert("RGB"))[top:bottom, left:right]
    result = resize(part, size).astype("<f4")
    words = "-".join(map(str, box))
    (here / f"{name}-{words}-{size}.legacy").write_bytes(result.tobytes())
    print(name, box, size, "from", result.min(), "to", result.max())
    if "--check" in sys.argv:
        import tensorflow
        own = tensorflow.raw_ops.ResizeBicubic(
            images=part[None].astype("float32"), size=(size, size), align_corners=False, half_pixel_centers=False)
        print("  largest difference from TensorFlow:", numpy.abs(own.numpy()[0] - result).max())
