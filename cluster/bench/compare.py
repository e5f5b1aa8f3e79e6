"""Runs saccader-dist and PyTorch in turn, several times, and prints medians and ratios.

A rate counts seconds on a core (of all threads together) beside seconds on the clock: on a machine
that others use too only the former is steady.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SIDES = {
    "saccader-dist float32": ("own", "float32", []),
    "PyTorch eager float32": ("torch", "float32", []),
    "PyTorch compiled float32": ("torch", "float32", ["--compile"]),
    "saccader-dist bfloat16": ("own", "bfloat16", []),
    "PyTorch eager bfloat16": ("torch", "bfloat16", ["--bfloat16"]),
    "PyTorch compiled bfloat16": ("torch", "bfloat16", ["--bfloat16", "--compile"]),
}


def processor():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
             if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


def run(name, options):
    kind, precision, extra = SIDES[name]
    shared = [
        "--config", options.config, "--stage", options.stage, "--batch", str(options.batch),
        "--threads", str(options.threads), "--steps", str(options.steps)]
    own = [options.program, "bench", "step", *shared, "--precision", precision, "--json"]
    torch = [HERE / "pytorch_step.py", *shared, *extra]
    if kind == "own":
        command = own
        if options.ranks > 1:
            root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
            command = ["mpirun", "-n", str(options.ranks), *root, *own]
    else:
        command = [sys.executable, *torch]
        if options.ranks > 1:
            command = [
                sys.executable, "-m", "torch.distributed.run", "--standalone",
                f"--nproc-per-node={options.ranks}", *torch]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return json.loads(lines[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--config", default="Configs/imagenet-saccader.yaml")
    parser.add_argument("--stage", default="representation")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", default="", help="substrings of sides, separated by commas")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    words = options.sides.split(",")
    names = [name for name in SIDES if any(word in name for word in words)]
    found = {name: [] for name in names}
    for number in range(options.rounds):
        for name in names:
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr)
            found[name].append(run(name, options))

    def median(name, key):
        return statistics.median(result[key] for result in found[name])

    rows = [{
        "side": name, "library": found[name][0]["library"],
        "precision": found[name][0]["precision"],
        "imagesPerSecond": median(name, "imagesPerSecond"),
        "imagesPerCoreSecond": options.batch / options.ranks / median(name, "cpuSeconds"),
        "peakMemoryBytes": median(name, "peakMemoryBytes")} for name in names]
    if options.json:
        print(json.dumps({
            "processor": processor(), "stage": options.stage, "batch": options.batch,
            "ranks": options.ranks, "threads": options.threads, "rounds": options.rounds,
            "rows": rows}))
        return
    print(f"{processor()}; stage {options.stage}, batch {options.batch}, {options.ranks} ranks × "
          f"{options.threads} threads, median of {options.rounds} rounds of {options.steps} steps")
    print(f"{'':27}{'images/s':>10}{'ratio':>8}{'images/core-s':>15}{'ratio':>8}{'memory GB':>11}")
    for row in rows:
        own = next((r for r in rows if r["side"] == f"saccader-dist {row['precision']}"), row)
        print(
            f"{row['side']:27}{row['imagesPerSecond']:10.3f}"
            f"{own['imagesPerSecond'] / row['imagesPerSecond']:8.2f}"
            f"{row['imagesPerCoreSecond']:15.3f}"
            f"{own['imagesPerCoreSecond'] / row['imagesPerCoreSecond']:8.2f}"
            f"{row['peakMemoryBytes'] / 1e9:11.2f}")
    print("ratio: saccader-dist of the same precision over this row")


if __name__ == "__main__":
    main()
