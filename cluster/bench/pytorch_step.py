"""Times a training step or the inference of saccader.py and prints one JSON object."""

import argparse
import contextlib
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

import torch
import yaml
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

# The file that `saccader-dist export` writes.
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Sources/Training/Resources"))
sys.dont_write_bytecode = True
from saccader import (  # noqa: E402
    DRAM, LOSSES, Glimpses, PreActivation, Saccader, Trunk, dram_loss, infer)

# Each names every key, also where it is the default.
CONFIGS = ROOT / "Configs"
DEFAULTS = {"dram": "imagenet-dram.yaml", "glimpse": "imagenet-saccader-nasnet-331.yaml"}


def merged(defaults, settings):
    """The settings, completed by the defaults."""
    if not isinstance(defaults, dict) or not isinstance(settings, dict):
        return settings
    both = {key: merged(defaults[key], settings[key]) for key in defaults if key in settings}
    return {**defaults, **settings, **both}


def folded(module):
    """Batch norms folded into the convolutions before them, for inference."""
    for name, child in list(module.named_children()):
        folded(child)
        # Of these, the norm of a convolution's number stands before it.
        if isinstance(module, (PreActivation, Trunk)):
            continue
        norm = "norm" + name.removeprefix("conv")
        is_pair = isinstance(getattr(module, norm, None), nn.BatchNorm2d)
        if isinstance(child, nn.Conv2d) and name.startswith("conv") and is_pair:
            setattr(module, name, fuse_conv_bn_eval(child, getattr(module, norm)))
            setattr(module, norm, nn.Identity())
    return module


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--stage", default="representation", choices=[*LOSSES, "dram", "glimpse", "inference"])
    parser.add_argument("--batch", type=int, default=4, help="images of all ranks together")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--glimpses", type=int, default=20, help="of inference")
    parser.add_argument("--inference", action="store_true", help="of the stage's model")
    parser.add_argument("--set", action="append", default=[], help="a setting: key.path=value")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bfloat16", action="store_true", help="autocast")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    defaults = [DEFAULTS["glimpse"]] if options.stage == "glimpse" else []
    defaults += [DEFAULTS["dram"] if options.stage == "dram" else "imagenet-saccader.yaml"]
    settings = {}
    for path in [CONFIGS / name for name in reversed(defaults)] + [Path(options.config)]:
        settings = merged(settings, yaml.safe_load(path.read_text()))
    for setting in options.set:
        path, value = setting.split("=", 1)
        *keys, last = path.split(".")
        place = settings
        for key in keys:
            place = place.setdefault(key, {})
        place[last] = yaml.safe_load(value)
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    batch, size = options.batch // ranks, settings["data"]["imageSize"]
    stage = settings["stages"].get(options.stage, {})
    images = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
    labels = torch.arange(batch) % settings["model"]["classes"]
    larger = settings["data"].get("patchImageSize") or size
    patch_images = images
    if options.stage == "glimpse" and larger != size:
        patch_images = torch.randn(batch, 3, larger, larger).to(memory_format=torch.channels_last)
    if options.stage == "glimpse":
        model = Glimpses(settings)
        model.locator = folded(model.locator)
    elif options.stage == "dram":
        model = DRAM(settings["model"], size)
    else:
        model = Saccader(settings["model"])
    model = model.to(memory_format=torch.channels_last)
    autocast = (
        torch.autocast("cpu", torch.bfloat16) if options.bfloat16 else contextlib.nullcontext())

    if options.inference:
        network = folded(model.eval())
        if options.compile:
            network.network.compile()

        def step():
            with torch.inference_mode(), autocast:
                network(images, options.glimpses, patch_images)
    elif options.stage == "inference":
        network = folded(model.eval())
        if options.compile:
            network.representation.compile()
            network.attention.compile()

        def step():
            with torch.inference_mode(), autocast:
                infer(network, images, options.glimpses)
    else:
        def glimpse_loss(model, images, labels, settings):
            logits, _ = model(images, settings["glimpses"], patch_images)
            return F.cross_entropy(logits[:, -1], labels)

        loss_of = {**LOSSES, "dram": dram_loss, "glimpse": glimpse_loss}[options.stage]
        if options.stage == "representation":
            trained = list(model.representation.parameters())
        elif options.stage == "location":
            trained = [p for n, p in model.named_parameters() if "representation." not in n]
            model.representation.eval().requires_grad_(False)
        elif options.stage == "glimpse":
            trained = list(model.network.parameters())
        else:
            trained = list(model.parameters())

        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.network = model if options.stage != "representation" else nn.ModuleDict(
                    {"representation": model.representation})

            def forward(self, images, labels):
                source = model
                return loss_of(source, images, labels, stage)

        module = Loss()
        if ranks > 1:
            torch.distributed.init_process_group("gloo")
            module = nn.parallel.DistributedDataParallel(module)
        if options.compile:
            module = torch.compile(module)
        # PyYAML reads 8e-5, without a point, as a word.
        decay = float(stage.get("l2", 0))
        optimizer = torch.optim.SGD(
            trained, lr=1e-3, momentum=0.9, nesterov=True, weight_decay=decay)

        def step():
            optimizer.zero_grad(set_to_none=True)
            with autocast:
                loss = module(images, labels)
            loss.backward()
            optimizer.step()

    for _ in range(2):
        step()
    seconds, cpu = [], []
    for _ in range(options.steps):
        if ranks > 1:
            torch.distributed.barrier()
        start, used = time.perf_counter(), time.process_time()
        step()
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    if ranks > 1 and torch.distributed.get_rank() > 0:
        return
    print(json.dumps({
        "stage": options.stage, "batch": options.batch, "ranks": ranks,
        "threads": options.threads, "precision": "bfloat16" if options.bfloat16 else "float32",
        "imagesPerSecond": options.batch / statistics.median(seconds),
        "stepSeconds": statistics.median(seconds), "cpuSeconds": statistics.median(cpu),
        "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "library": f"PyTorch {torch.__version__}" + (" compiled" if options.compile else "")}))


if __name__ == "__main__":
    main()
