"""Compares what `saccader-dist import` makes of timm's whole networks with timm itself.

The rule of names is written here once more, by hand: names that a checkpoint lacks, has beside, or
fills with other numbers fail, and so do answers on photographs that differ by more than rounding.
"""

import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

PHOTOGRAPHS = ["astronaut.jpg", "chelsea.jpg"]
FIXTURES = Path(__file__).resolve().parents[2] / "Tests/ImagesTests/Fixtures"
# Name, side of the image, arrays of the checkpoint, names that are dropped.
NETWORKS = {
    "nasnet": ("nasnetalarge", 331, 1546, 264), "resnetv2": ("resnetv2_50", 224, 251, 49)}
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "mean", "running_var": "variance"}
BOUND = 1e-4


def nasnet_name(name):
    rules = [
        (r"conv0\.conv\.weight", r"stem/conv/kernel"), (r"conv0\.bn\.(\w+)", r"stem/norm/\1"),
        (r"last_linear\.weight", "logits/kernel"), (r"last_linear\.bias", "logits/bias")]
    for pattern, result in rules:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, result, name)
    cell, rest = name.split(".", 1)
    cell = re.sub(r"^cell_stem_", "stemCell", cell)
    cell = re.sub(r"^reduction_cell_", "reduction", re.sub(r"^cell_(?=\d)", "cell", cell))
    for pattern, result in [
            (r"conv_1x1\.conv\.weight", "current/conv/kernel"),
            (r"conv_1x1\.bn\.(\w+)", r"current/norm/\1"),
            (r"conv_prev_1x1\.conv\.weight", "previous/conv/kernel"),
            (r"conv_prev_1x1\.bn\.(\w+)", r"previous/norm/\1"),
            (r"path_(\d)\.conv\.weight", r"previous/conv\1/kernel"),
            (r"final_path_bn\.(\w+)", r"previous/norm/\1"),
            (r"comb_iter_(\d)_(\w+)\.separable_(\d)\.(\w+)_conv2d\.weight",
             r"pair\1/\2/\4\3/kernel"),
            (r"comb_iter_(\d)_(\w+)\.bn_sep_(\d)\.(\w+)", r"pair\1/\2/norm\3/\4")]:
        if re.fullmatch(pattern, rest):
            return f"{cell}/{re.sub(pattern, result, rest)}"
    raise SystemExit(f"no rule for {name}")


def resnetv2_name(name):
    for pattern, result in [
            (r"stem\.conv\.weight", "stem/conv/kernel"), (r"norm\.(\w+)", r"norm/\1"),
            (r"head\.fc\.weight", "logits/kernel"), (r"head\.fc\.bias", "logits/bias"),
            (r"stages\.(\d)\.blocks\.(\d)\.conv(\d)\.weight",
             r"group\1/block\2/conv\3/kernel"),
            (r"stages\.(\d)\.blocks\.(\d)\.norm(\d)\.(\w+)", r"group\1/block\2/norm\3/\4"),
            (r"stages\.(\d)\.blocks\.(\d)\.downsample\.conv\.weight",
             r"group\1/block\2/shortcut/conv/kernel")]:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, result, name)
    raise SystemExit(f"no rule for {name}")


def expected(network, state):
    """Path and numbers of every array of the checkpoint."""
    below, rule = {
        "nasnet": ("nasnet", nasnet_name), "resnetv2": ("classifier", resnetv2_name)}[network]
    found = {}
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        path = rule(name)
        head, last = path.rsplit("/", 1)
        values = tensor.numpy()
        if last in NORM and "norm" in head.rsplit("/", 1)[-1]:
            last = NORM[last]
        elif values.ndim == 2:
            values = values.T[None, None]
        elif values.ndim == 4:
            # A depthwise kernel [C, 1, k, k] becomes [k, k, C, 1].
            order = (2, 3, 0, 1) if "/depthwise" in head else (2, 3, 1, 0)
            values = values.transpose(order)
        found[f"{below}/{head}/{last}"] = values
    return found


def photographs(side):
    """Squares of `side` pixels, [N, H, W, 3] of bytes."""
    pictures = []
    for name in PHOTOGRAPHS:
        picture = Image.open(FIXTURES / name).convert("RGB")
        edge = min(picture.size)
        left, top = ((size - edge) // 2 for size in picture.size)
        pictures.append(np.asarray(picture.crop(
            (left, top, left + edge, top + edge)).resize((side, side), Image.BICUBIC)))
    return np.stack(pictures)


def model(name, pixels):
    """Random weights whose norms have statistics, factors and offsets of their own."""
    torch.manual_seed(1)
    network = timm.create_model(name, pretrained=False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.7, 1.3)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(pixels)
        # Classes that differ: a probability is told with six digits.
        network.get_classifier().weight.mul_(10)
    return network.eval()


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def logits_of_nasnet(program, checkpoint, folder, images, side):
    standardized = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with h5py.File(folder / "batch.h5", "w") as file:
        file["/batch/images"] = standardized.astype(np.float32)
    # timm's strided averages count the margin's zeros.
    run(program, "trace", checkpoint, "--objective", "glimpseInference", "--batch",
        folder / "batch.h5", "--output", folder / "trace.h5", "--threads", 2, "--set",
        f"data.imageSize={side}", "--set", "model.nasnet.poolPadding=zeros")
    with h5py.File(folder / "trace.h5") as file:
        return file["/trace/prediction"][()]


def logits_of_resnetv2(program, checkpoint, folder, images, side):
    """The logarithms of the probabilities that `predict` tells, with six digits."""
    paths = []
    for index, image in enumerate(images):
        paths.append(folder / f"{index}.png")
        Image.fromarray(image).save(paths[-1])
    lines = run(
        Path(program).with_name("saccader-eval"), "predict", checkpoint, *paths, "--json",
        "--top", 1000, "--central-crop-margin", 0, "--quiet").splitlines()
    result = np.zeros((len(images), 1000))
    for row, line in zip(result, lines):
        for entry in json.loads(line)["predictions"]:
            row[entry["label"]] = np.log(max(entry["probability"], 1e-9))
    return result


def check(program, network):
    name, side, arrays, dropped = NETWORKS[network]
    images = photographs(side)
    pixels = torch.from_numpy((images / 127.5 - 1).astype(np.float32)).permute(0, 3, 1, 2)
    reference = model(name, pixels)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        state = {key: value.contiguous() for key, value in reference.state_dict().items()}
        save_file(state, folder / "weights.safetensors")
        checkpoint = folder / "imported.h5"
        run(program, "import", folder / "weights.safetensors", "--as", network, "--output",
            checkpoint)
        wanted, found = expected(network, state), {}
        with h5py.File(checkpoint) as file:
            file["model"].visititems(
                lambda path, item: found.update({path: item[()]})
                if isinstance(item, h5py.Dataset) else None)
        missing, beside = sorted(wanted.keys() - found), sorted(found.keys() - wanted)
        unequal = [
            path for path in wanted
            if path in found and not np.array_equal(
                wanted[path].reshape(found[path].shape), found[path])]
        counts = (len(wanted), len(state) - len(wanted))
        print(f"{name}: {len(state)} names, {len(found)} arrays of the checkpoint, "
              f"{counts[1]} dropped; missing {len(missing)}, beside {len(beside)}, "
              f"with other numbers {len(unequal)}")
        if missing or beside or unequal or counts != (arrays, dropped):
            raise SystemExit(f"not as it should be: {[*missing, *beside, *unequal][:3]}")
        logits = {"nasnet": logits_of_nasnet, "resnetv2": logits_of_resnetv2}[network](
            program, checkpoint, folder, images, side)
    with torch.no_grad():
        single, right = reference(pixels).double(), reference.double()(pixels.double())
    told = torch.ones_like(right, dtype=bool)
    if network == "resnetv2":
        single, right = single.log_softmax(1), right.log_softmax(1)
        # The others' digits end too soon.
        told = right > np.log(0.02)
    difference, rounding = (
        ((each - right)[told].abs().max() / right.abs().max()).item()
        for each in (torch.from_numpy(logits), single))
    same = (logits.argmax(1) == right.numpy().argmax(1)).all()
    print(f"{name}: answers on {len(images)} photographs of {side} pixels differ by "
          f"{difference:.1e} of the largest from timm's in double precision (timm's own single "
          f"precision: {rounding:.1e}); the likeliest classes are "
          f"{'the same' if same else 'others'}")
    if not (difference < BOUND and same):
        raise SystemExit("the answers are others")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", help=f"of {', '.join(NETWORKS)}; left out: all")
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    unknown = [name for name in options.networks if name not in NETWORKS]
    if unknown:
        parser.error(f"no network {unknown[0]}; there are {', '.join(NETWORKS)}")
    for network in options.networks or NETWORKS:
        check(options.program, network)


if __name__ == "__main__":
    main()
