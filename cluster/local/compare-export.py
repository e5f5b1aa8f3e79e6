"""Compares exported models in PyTorch and in onnxruntime with the programs; called by test-export.

Usage: compare-export.py PROGRAMS FOLDER PICTURE…
"""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy
import onnx
import onnxruntime
import torch
from safetensors import safe_open

programs, work, pictures = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
sys.path.insert(0, str(work / "saccader/export"))
sys.dont_write_bytecode = True
import saccader  # noqa: E402

TOLERANCE = 1e-4  # of a logit


def run(program, *arguments):
    command = [str(programs / program), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def require(holds, what):
    if not holds:
        sys.exit(f"compare-export: {what}")


def far(here, there):
    return float((torch.as_tensor(here) - torch.as_tensor(there)).abs().max())


def predicted(checkpoint, *options):
    """The program's answers on the files: probabilities of all classes, windows."""
    lines = run("saccader-eval", "predict", checkpoint, *pictures, "--json", "--quiet",
                "--top", 1000, *options).splitlines()
    answers = [json.loads(line) for line in lines]
    for answer in answers:
        answer["chances"] = [p["probability"] for p in sorted(
            answer["predictions"], key=lambda p: p["label"])]
    return answers


def compare_predictions(name, logits, answers):
    """Probabilities, which predict rounds to a millionth at best."""
    error = max(far(x.softmax(0), a["chances"]) for x, a in zip(logits, answers))
    require(error < 2e-5, f"{name}: probabilities differ by {error}")
    print(f"{name}: probabilities of {len(answers)} photographs to {error:.1e}")


def traced(checkpoint, objective, images, larger=None):
    batch, output = work / "batch.h5", work / "trace.h5"
    with h5py.File(batch, "w") as file:
        file["/batch/images"] = images.permute(0, 2, 3, 1).contiguous().numpy()
        if larger is not None and larger.shape != images.shape:
            file["/batch/patchImages"] = larger.permute(0, 2, 3, 1).contiguous().numpy()
        file["/batch/labels"] = torch.zeros(len(images), dtype=torch.int32).numpy()
    run("saccader-dist", "trace", checkpoint, "--objective", objective, "--batch", batch,
        "--output", output)
    return h5py.File(output)


@torch.inference_mode()
def compare(family):
    folder = work / family
    model = saccader.load(folder / "export/model.safetensors")
    with safe_open(folder / "export/model.safetensors", "pt") as file:
        require(file.metadata() == model.metadata, f"{family}: metadata")
        for name, array in saccader.read(folder / "export/model.safetensors")[0].items():
            require(torch.equal(array, file.get_tensor(name)), f"{family}: {name}")
    both = [saccader.prepare_both(path, model) for path in pictures]
    images, larger = (torch.cat(parts) for parts in zip(*both))
    answers = predicted(folder / "back.h5")
    if family == "classifier":
        compare_predictions(family, model(images), answers)
        return model, {}
    glimpses = model.config["stages"][model.metadata["stage"]]["glimpses"]
    if isinstance(model, saccader.Glimpses):
        logits, places = model(images, glimpses, larger)
    else:
        logits, places = model(images, glimpses)
    compare_predictions(family, logits[:, -1], answers)
    objective = {"saccader": "inference", "soft": "inference", "dram": "dramInference"}.get(
        family, "glimpseInference")
    with traced(folder / "back.h5", objective, images, larger) as trace:
        found = {"logits": torch.as_tensor(trace["/trace/prediction"][:])}
        error = far(found["logits"], logits[:, -1])
        require(error < TOLERANCE, f"{family}: logits differ by {error}")
        if family == "dram":
            found["places"] = torch.as_tensor(trace["/trace/dram/location"][:])
            difference = far(found["places"], places)
            require(difference < TOLERANCE, f"{family}: places differ by {difference}")
        elif family == "ondram":
            # Points: what counts, the corners, follows.
            found["places"] = places
        else:
            group = "glimpse" if objective == "glimpseInference" else "cell"
            found["places"] = torch.as_tensor(trace[f"/trace/{group}/locations"][:]).long()
            require(torch.equal(found["places"], places), f"{family}: locations differ")
        if objective == "glimpseInference":
            corners = torch.as_tensor(trace["/trace/glimpse/corner"][:]).long()
            require(torch.equal(corners, model.corners(places)), f"{family}: corners differ")
    print(f"{family}: logits of T = {glimpses} to {error:.1e}, places "
          f"{'to 1e-4' if family == 'dram' else 'the same'}")
    return model, found


def session(path):
    onnx.checker.check_model(str(path), full_check=True)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def pixels(model, size, scaled_from=None):
    """The pictures as graphs take them: 0…255."""
    data = model.config["data"]
    squares = [saccader.squared(path, data, scaled_from or size, False) for path in pictures]
    if scaled_from and scaled_from != size:
        squares = [saccader.antialiased((s.clamp(0, 255) + 0.5).floor(), size) for s in squares]
    return torch.stack(squares).permute(0, 3, 1, 2).contiguous().numpy()


def compare_graphs(family, model, found):
    """The graphs in onnxruntime, five pictures at once and one alone."""
    folder, size = work / family / "onnx", model.config["data"]["imageSize"]
    graph = session(folder / "model.onnx")
    larger = getattr(model, "larger", size)
    given = {"pixels": pixels(model, size, larger)}
    if larger != size:
        given["patch_pixels"] = pixels(model, larger)
    names = [output.name for output in graph.get_outputs()]
    alone = dict(zip(names, graph.run(None, {name: x[:1] for name, x in given.items()})))
    here = dict(zip(names, graph.run(None, given)))
    for name in names:
        require(far(here[name][:1], alone[name]) < 1e-5, f"{family}: {name} of one picture differs")
    answers = predicted(work / family / "back.h5")
    compare_predictions(f"{family}.onnx", torch.as_tensor(here["logits"]), answers)
    if family == "classifier":
        return
    error = far(here["logits"], found["logits"])
    require(error < TOLERANCE, f"{family}.onnx: logits differ by {error}")
    if family in ("dram", "ondram"):
        require(far(here["places"], found["places"]) < TOLERANCE, f"{family}.onnx: places differ")
    else:
        require(numpy.array_equal(here["places"], found["places"]), f"{family}.onnx: places differ")
    compare_windows(family, here["windows"], answers, larger)
    print(f"{family}.onnx: logits to {error:.1e}, places and windows the same")
    # Another T than the trained one.
    three = dict(zip(names, session(work / family / "onnx3/model.onnx").run(None, given)))
    require(three["places"].shape[1] == 3, f"{family}: T is not 3")
    compare_predictions(f"{family}.onnx of T = 3", torch.as_tensor(three["logits"]),
                        predicted(work / family / "back.h5", "--glimpses", 3))
    compare_network(family, model, given["pixels"])


def compare_windows(family, windows, answers, size):
    """What graphs say was seen, in pixels of the picture as predict says it."""
    for own, answer in zip(windows.tolist(), answers):
        crop = answer["crop"]
        scale = crop["width"] / size
        require(len(own) == len(answer["windows"]), f"{family}: number of windows")
        for (top, left, bottom, right), box in zip(own, answer["windows"]):
            wanted = (box["x"], box["y"], box["width"], box["height"])
            found = (crop["x"] + left * scale, crop["y"] + top * scale,
                     (right - left) * scale, (bottom - top) * scale)
            require(far(wanted, found) < 1e-3, f"{family}: {found} in place of {wanted}")


def compare_network(family, model, given):
    """The network without attention, which PyTorch's has been compared with."""
    path = work / family / "onnx/classifier.onnx"
    if family == "dram":
        require(not path.exists(), f"{family} has a network without attention")
        return
    with torch.inference_mode():
        if isinstance(model, saccader.Glimpses):
            given = given[:, :, :model.side, :model.side]
            if given.shape[2] < model.side:
                return
            wanted = model.classify(saccader.standardized(
                torch.as_tensor(given[0]).permute(1, 2, 0)))
            found = session(path).run(None, {"pixels": given[:1]})[0]
        else:
            images = torch.cat([saccader.prepare(path, model) for path in pictures])
            wanted = model.without_attention(images)
            found = session(path).run(None, {"pixels": given})[0]
    error = far(wanted, found)
    require(error < TOLERANCE, f"{family}: classifier.onnx differs by {error}")
    print(f"{family}: classifier.onnx to {error:.1e}")


@torch.inference_mode()
def compare_policies():
    """The policies that nobody learns: the accuracy after 1 to 20 glimpses, here and there."""
    model = saccader.load(work / "saccader/export/model.safetensors")
    names = ("orderedLogits", "center")
    report = json.loads(run(
        "saccader-eval", work / "saccader/back.h5", "--data", work / "data", "--policies",
        ",".join(names), "--glimpses", "1...20", "--limit", 100, "--json", "--quiet"))
    found = report["checkpoints"][0]["policies"]
    files = [(path, label) for label, folder in enumerate(sorted((work / "data/val").iterdir()))
             for path in sorted(folder.iterdir())]
    # As --limit spreads them.
    files = [files[number * len(files) // 100] for number in range(100)]
    images = torch.cat([saccader.prepare(path, model) for path, _ in files])
    labels = torch.tensor([label for _, label in files])
    for name in names:
        logits, _ = model(images, 20, policy=name)
        right = (logits.argmax(2) == labels[:, None]).float().mean(0).tolist()
        there = [row["top1"] for row in found[name]]
        require(far(right, there) < 1e-6, f"{name}: top-1 {right} in place of {there}")
    places = model(images, 20, policy="random")[1].sort(1)[0]
    require(bool((places[:, 1:] > places[:, :-1]).all()), "random: a place is visited twice")
    print(f"{' and '.join(names)}: top-1 of {len(files)} images after 1 to 20 glimpses the same")


def odd_pictures():
    """Pictures as people have them: inks, greys, alpha, palettes, turned ones."""
    from PIL import Image
    folder = work / "odd"
    folder.mkdir()
    colours = Image.open(pictures[0]).convert("RGB").resize((150, 131))
    across = Image.linear_gradient("L").resize(colours.size)
    clear = colours.copy()
    clear.putalpha(across)
    turned = Image.Exif()
    turned[274] = 6
    grey_clear = Image.merge("LA", (colours.convert("L"), across))
    few = colours.convert("P", palette=Image.Palette.ADAPTIVE, colors=60)
    many = {
        "inks.jpg": colours.convert("CMYK"), "grey.jpg": colours.convert("L"),
        "grey.png": colours.convert("L"), "clear.png": clear, "clear.webp": clear,
        "grey-clear.png": grey_clear, "palette.png": few, "bits.png": colours.convert("1")}
    for name, picture in many.items():
        picture.save(folder / name, **({"lossless": True} if name.endswith("webp") else {}))
    few.save(folder / "palette-clear.png", transparency=7)
    colours.save(folder / "key.png", transparency=colours.getpixel((10, 10)))
    colours.save(folder / "turned.jpg", exif=turned)
    colours.save(folder / "small.png")
    colours.resize((40, 300)).save(folder / "narrow.png")
    deep = (numpy.asarray(colours.convert("L")).astype(numpy.uint16) * 257 + 100).clip(0, 65535)
    Image.fromarray(deep.astype(numpy.uint16)).save(folder / "deep.png")
    return sorted(folder.iterdir())


@torch.inference_mode()
def compare_pictures():
    """Every way in which settings let pictures be read, on odd ones."""
    files = odd_pictures()
    changes = [{}, {"resize": "legacy"}, {"transparency": "white"}, {"transparency": "black"},
               {"transparency": "grey", "orientation": "exif"}, {"centralCropMargin": 0}]
    for number, change in enumerate(changes):
        model = saccader.load(work / "saccader/export/model.safetensors")
        config = json.loads(model.metadata["config"])
        config["data"].update(change)
        model.metadata["config"] = json.dumps(config)
        model.config = config
        weights, checkpoint = work / f"odd-{number}.safetensors", work / f"odd-{number}.h5"
        saccader.save(model, weights)
        run("saccader-dist", "import", weights, "--output", checkpoint)
        lines = run("saccader-eval", "predict", checkpoint, *files, "--json", "--quiet",
                    "--top", 1000).splitlines()
        glimpses = config["stages"]["joint"]["glimpses"]
        worst = 0.0
        for path, line in zip(files, lines):
            answer = json.loads(line)
            require("predictions" in answer, f"{path.name}: {answer.get('error')}")
            chances = [p["probability"] for p in sorted(
                answer["predictions"], key=lambda p: p["label"])]
            logits, _ = model(saccader.prepare(path, model), glimpses)
            error = far(logits[0, -1].softmax(0), chances)
            require(error < 2e-5, f"{path.name} with {change}: probabilities differ by {error}")
            worst = max(worst, error)
        print(f"{len(files)} odd pictures with {change or 'the usual settings'}: to {worst:.1e}")


def fine_tune():
    """Ten steps here, saved, imported, and evaluated by both."""
    torch.manual_seed(0)
    model = saccader.load(work / "saccader/export/model.safetensors").train()
    settings = model.config["stages"]["joint"]
    folders = sorted((work / "data/train").iterdir())
    files = [(path, label) for label, folder in enumerate(folders)
             for path in sorted(folder.iterdir())[:13]]
    images = torch.cat([saccader.prepare(path, model) for path, _ in files])
    labels = torch.tensor([label for _, label in files])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    for step in range(10):
        batch = torch.arange(step * 13, step * 13 + 26) % len(images)
        optimizer.zero_grad()
        saccader.joint_loss(model, images[batch], labels[batch], settings).backward()
        optimizer.step()
    saccader.save(model, work / "finetuned.safetensors")
    run("saccader-dist", "import", work / "finetuned.safetensors", "--output", work / "finetuned.h5")
    require(work.joinpath("finetuned.h5").read_bytes() != b"", "finetuned.h5 is empty")

    model.eval()
    right, count = 0, 0
    with torch.inference_mode():
        for label, folder in enumerate(sorted((work / "data/val").iterdir())):
            paths = sorted(folder.iterdir())
            logits, _ = model(
                torch.cat([saccader.prepare(path, model) for path in paths]), settings["glimpses"])
            right += int((logits[:, -1].argmax(1) == label).sum())
            count += len(paths)
    report = json.loads(run(
        "saccader-eval", work / "finetuned.h5", "--data", work / "data", "--policies", "learned",
        "--glimpses", f"{settings['glimpses']}...{settings['glimpses']}", "--json", "--quiet"))
    accuracy = report["checkpoints"][0]["policies"]["learned"][-1]["top1"]
    require(abs(accuracy - right / count) < 0.5 / count,
            f"fine-tuned: {accuracy} here, {right / count} in PyTorch")
    print(f"fine-tuned by ten steps: top-1 of {count} images {accuracy:.4f} in both")


for name in ("saccader", "soft", "classifier", "dram", "nasnet", "resnetv2", "ondram"):
    compare_graphs(name, *compare(name))
compare_policies()
compare_pictures()
fine_tune()
