"""Loads training images with saccader-dist and with torchvision in turn, several times, and prints
medians and the ratio.

A rate counts seconds on a core (of all threads and processes that load) beside seconds on the
clock: on a machine that others use too only the former is steady.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

from compare import processor

SIZE = (500, 375)
COUNT = 256


def make_photographs(folder):
    """Parts of real photographs, 500×375, in ImageNet's layout, about as large as ImageNet's."""
    if (folder / "done").exists():
        return
    import skimage.data
    from PIL import Image

    draw = random.Random(0)
    sources = [
        Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
        for name in ["astronaut", "chelsea", "coffee", "rocket"]]
    for number in range(COUNT):
        source = sources[number % len(sources)]
        scale = min(source.width / SIZE[0], source.height / SIZE[1]) * draw.uniform(0.7, 1)
        width, height = scale * SIZE[0], scale * SIZE[1]
        left, top = draw.uniform(0, source.width - width), draw.uniform(0, source.height - height)
        image = source.resize(
            SIZE, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))
        path = folder / "train" / f"n{number % 8:08}" / f"{number}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=95)
    (folder / "done").touch()


def own(options):
    command = [
        options.program, "bench", "data", "--data", options.data, "--size", str(options.size),
        "--batch", str(options.batch), "--threads", str(options.threads),
        "--steps", str(options.steps), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)


def torchvision(options):
    command = [
        sys.executable, Path(__file__).with_name("torchvision_data.py"), options.data,
        str(options.size), str(options.batch), str(options.threads), str(options.steps)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", help="a folder in ImageNet's layout")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1, help="threads, or DataLoader's workers")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.data:
        folder = Path(sys.prefix) / "photographs"
        make_photographs(folder)
        options.data = str(folder)
    files = [path for path in Path(options.data, "train").rglob("*") if path.is_file()]
    sides = {"saccader-dist": own, "torchvision": torchvision}
    found = {name: [] for name in sides}
    for number in range(options.rounds):
        for name, side in sides.items():
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr)
            found[name].append(side(options))
    keys = ["imagesPerSecond", "imagesPerCoreSecond"]
    rows = {
        name: {key: statistics.median(run[key] for run in runs) for key in keys}
        for name, runs in found.items()}
    ratios = {key: rows["saccader-dist"][key] / rows["torchvision"][key] for key in keys}
    mean = sum(path.stat().st_size for path in files) / len(files)
    if options.json:
        print(json.dumps({
            "processor": processor(), "imageSize": options.size, "batch": options.batch,
            "threads": options.threads, "rounds": options.rounds, "images": len(files),
            "meanBytes": mean, "rows": rows, "ratios": ratios}))
        return
    print(f"{processor()}; {len(files)} photographs of {mean / 1000:.0f} kB on average to "
          f"{options.size} pixels, {options.threads} threads or workers, median of "
          f"{options.rounds} rounds of {options.steps} batches of {options.batch}")
    print(f"{'':16}{'images/s':>10}{'images/core-s':>15}")
    for name, row in rows.items():
        print(f"{name:16}{row[keys[0]]:10.0f}{row[keys[1]]:15.0f}")
    print(f"{'ratio':16}{ratios[keys[0]]:10.2f}{ratios[keys[1]]:15.2f}")


if __name__ == "__main__":
    main()
