"""Runs saccader-dist and PyTorch in turn, several times, and prints medians and ratios.

A rate counts seconds on a core (of all threads together) beside seconds on the clock: on a machine
that others use too only the former is steady. A run over the time limit counts as no result.
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
# Another build of saccader-dist, which --against names, in turn with this one.
AGAINST = {f"other build {precision}": ("other", precision, [])
           for precision in ("float32", "bfloat16")}
# The row shards: a rank's images in one shard, whose bits depend on the number of ranks.
ONE_SHARD = {
    f"one shard {precision}": (
        "own", precision, ["--set", "stages.representation.shardSize={images}"])
    for precision in ("float32", "bfloat16")}

# Of an image that the second network's inference classifies.
GLIMPSES = 6

# What a row of --rows sets; the command line's other options hold for the rest. Without --batch a
# row takes IMAGES for each thread of each rank, as a data-parallel run grows with its cores.
IMAGES = 4
FULL, DEMO, DRAM, NASNET = (
    "Configs/imagenet-saccader.yaml", "Configs/demo.yaml", "Configs/imagenet-dram.yaml",
    "Configs/imagenet-saccader-nasnet-331.yaml")
RESNET = ["glimpse.network=resnetv2"]
ROWS = {
    "representation": dict(stage="representation", config=FULL),
    "threads": dict(stage="representation", config=FULL, threads=2),
    "ranks": dict(stage="representation", config=FULL, ranks=2),
    "location": dict(stage="location", config=FULL),
    "joint": dict(stage="joint", config=FULL),
    "shards": dict(stage="representation", config=FULL),
    "inference": dict(stage="inference", config=FULL),
    "dram": dict(stage="dram", config=DRAM, images=8),
    "demo": dict(stage="representation", config=DEMO, images=64),
    # A second network on six patches of 113 pixels: NASNet-A Large, or ResNet-v2-50.
    "glimpse": dict(stage="glimpse", config=NASNET, images=2),
    "glimpse-inference": dict(stage="glimpse", config=NASNET, inference=True),
    "glimpse-resnetv2": dict(stage="glimpse", config=NASNET, images=2, settings=RESNET),
    "glimpse-resnetv2-inference": dict(
        stage="glimpse", config=NASNET, inference=True, settings=RESNET),
}


def processor():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
             if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


def run(name, options):
    """What one run printed; nothing if it took longer than the limit."""
    kind, precision, extra = {**SIDES, **AGAINST, **ONE_SHARD}[name]
    extra = [word.format(images=options.batch // options.ranks) for word in extra]
    shared = [
        "--config", options.config, "--batch", str(options.batch),
        "--threads", str(options.threads), "--steps", str(options.steps)]
    stage = ["--stage", options.stage]
    shared += [word for setting in options.settings for word in ("--set", setting)]
    bench = ["inference"] if options.stage == "inference" else ["step", *stage]
    if options.inference:
        bench = ["inference", *stage]
        shared += ["--glimpses", str(GLIMPSES)]
        stage = [*stage, "--inference"]
    program = options.against if kind == "other" else options.program
    own = [program, "bench", *bench, *shared, "--precision", precision, "--json", *extra]
    torch = [HERE / "pytorch_step.py", *stage, *shared, *extra]
    if kind != "torch":
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
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = process.communicate(timeout=options.limit)
    except subprocess.TimeoutExpired:
        # Asked to end, the launchers end their ranks too.
        process.terminate()
        process.communicate()
        print(f"{name}: no result within {options.limit:g} s", file=sys.stderr)
        return None
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        sys.exit(f"{' '.join(map(str, command))}\n{errors}")
    return json.loads(lines[-1])


def measure(options, names):
    """Both sides in turn, and the medians of each side that had a result in every round."""
    found = {name: [] for name in names}
    for number in range(options.rounds):
        for name in names:
            if None in found[name]:
                continue
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr)
            found[name].append(run(name, options))
    rows = []
    for name, results in found.items():
        if None in results:
            continue

        def median(key):
            return statistics.median(result[key] for result in results)

        row = {
            "side": name, "library": results[0]["library"],
            "precision": results[0]["precision"],
            "imagesPerSecond": median("imagesPerSecond"),
            "imagesPerCoreSecond": options.batch / options.ranks / median("cpuSeconds"),
            "peakMemoryBytes": median("peakMemoryBytes")}
        own = found.get(own_name(row), [None])
        if name in ONE_SHARD and None not in own:
            row["shardCost"] = statistics.median(
                each["cpuSeconds"] / one["cpuSeconds"] - 1 for each, one in zip(own, results))
        if "communicationWaitSeconds" in results[0]:
            row["waitShare"] = statistics.median(
                (result["communicationWaitSeconds"] - result["imbalanceSeconds"])
                / result["stepSeconds"] for result in results)
            row["imbalanceShare"] = statistics.median(
                result["imbalanceSeconds"] / result["stepSeconds"] for result in results)
        rows.append(row)
    return rows


def own_name(row):
    return f"saccader-dist {row['precision']}"


def table(options, rows):
    images = options.batch / options.ranks / options.threads
    what = [f"stage {options.stage}", *options.settings, *["inference"] * options.inference]
    print(f"{options.config}, {', '.join(what)}, {options.ranks} ranks × {options.threads} "
          f"threads, batch {options.batch} ({images:g} images to a thread), median of "
          f"{options.rounds} rounds of {options.steps} steps")
    print(f"{'':27}{'images/s':>10}{'ratio':>8}{'images/core-s':>15}{'ratio':>8}{'memory GB':>11}"
          f"{'waits':>8}{'uneven':>8}")
    for row in rows:
        own = next((r for r in rows if r["side"] == own_name(row)), row)
        waits = (f"{row['waitShare']:8.1%}{row['imbalanceShare']:8.1%}"
                 if "waitShare" in row else "")
        print(
            f"{row['side']:27}{row['imagesPerSecond']:10.3f}"
            f"{own['imagesPerSecond'] / row['imagesPerSecond']:8.2f}"
            f"{row['imagesPerCoreSecond']:15.3f}"
            f"{own['imagesPerCoreSecond'] / row['imagesPerCoreSecond']:8.2f}"
            f"{row['peakMemoryBytes'] / 1e9:11.2f}{waits}")
    for row in rows:
        if "shardCost" in row:
            print(f"bits that do not depend on the number of ranks, {row['precision']}: "
                  f"{row['shardCost']:+.1%} seconds on a core, each round's pair")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--config", default=FULL)
    parser.add_argument("--stage", default="representation")
    parser.add_argument(
        "--batch", type=int,
        help=f"images of all ranks together (default: {IMAGES} for each thread of each rank; rows "
             f"dram: {ROWS['dram']['images']}, demo: {ROWS['demo']['images']}, glimpse: "
             f"{ROWS['glimpse']['images']})")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300, help="seconds that a run may take")
    parser.add_argument(
        "--rows", default="",
        help=f"what to measure, separated by commas, instead of --config and --stage: "
             f"{', '.join(ROWS)}; or all. shards: saccader-dist only, a shard for each image, as a "
             f"run has them, against a rank's images in one shard: what it costs that the bits do "
             f"not depend on the number of ranks")
    parser.add_argument("--sides", default="", help="substrings of sides, separated by commas")
    parser.add_argument(
        "--against", metavar="PROGRAM",
        help="another build of saccader-dist, measured in turn with this one, as the side 'other "
             "build'; without --sides the two alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.against and not os.access(options.against, os.X_OK):
        parser.error(f"--against: {options.against} is not a program that can be run")
    words = (options.sides or ("dist" if options.against else "")).split(",")
    names = [name for name in SIDES if any(word in name for word in words)]
    if options.against:
        names = [side for name in names for side in (
            [name, f"other build {SIDES[name][1]}"] if SIDES[name][0] == "own" else [name])]
    chosen = list(ROWS) if options.rows == "all" else options.rows.split(",")
    unknown = [name for name in chosen if name and name not in ROWS]
    if unknown or not names:
        parser.error(f"--rows: no row {', '.join(unknown)}; there are {', '.join(ROWS)}"
                     if unknown else f"--sides: none of {', '.join(SIDES)} is meant")
    printed = False
    for name in chosen:
        row = argparse.Namespace(**{
            **vars(options), "images": IMAGES, "inference": False, "settings": [],
            **ROWS.get(name, {})})
        if row.batch is None:
            row.batch = row.images * row.ranks * row.threads
        if row.batch % row.ranks:
            parser.error(f"--batch: {row.batch} images are not divisible by {row.ranks} ranks")
        sides = names
        if name == "shards":
            sides = [
                side for own in names if SIDES.get(own, AGAINST.get(own))[0] == "own"
                for side in (own, f"one shard {SIDES[own][1]}")]
        rows = measure(row, sides)
        if options.json:
            print(json.dumps({
                "row": name or "step", "processor": processor(), "config": row.config,
                "stage": row.stage, "batch": row.batch, "ranks": row.ranks,
                "threads": row.threads, "rounds": row.rounds, "rows": rows}), flush=True)
            continue
        if not printed:
            print(processor())
            printed = True
        table(row, rows)
        sys.stdout.flush()
    if not options.json:
        print("ratio: saccader-dist of the same precision over this row; "
              "waits: share of a step spent waiting for sums over ranks; "
              "uneven: for a rank that came later to one")


if __name__ == "__main__":
    main()
