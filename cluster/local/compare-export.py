"""Compares exported models in PyTorch with the programs; called by test-export.

Usage: compare-export.py PROGRAMS FOLDER PICTURE…
"""

import json
import subprocess
import sys
from pathlib import Path

import h5py
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


def predicted(checkpoint):
    """The program's answers on the files: probabilities of all classes, windows."""
    lines = run("saccader-eval", "predict", checkpoint, *pictures, "--json", "--quiet",
                "--top", 1000).splitlines()
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


def traced(checkpoint, objective, images):
    batch, output = work / "batch.h5", work / "trace.h5"
    with h5py.File(batch, "w") as file:
        file["/batch/images"] = images.permute(0, 2, 3, 1).contiguous().numpy()
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
    images = torch.cat([saccader.prepare(path, model) for path in pictures])
    answers = predicted(folder / "back.h5")
    if family == "classifier":
        compare_predictions(family, model(images), answers)
        return
    glimpses = model.config["stages"][model.metadata["stage"]]["glimpses"]
    logits, places = model(images, glimpses)
    compare_predictions(family, logits[:, -1], answers)
    objective = "inference" if family == "saccader" else "dramInference"
    with traced(folder / "back.h5", objective, images) as trace:
        error = far(trace["/trace/prediction"][:], logits[:, -1])
        require(error < TOLERANCE, f"{family}: logits differ by {error}")
        if family == "saccader":
            there = torch.as_tensor(trace["/trace/cell/locations"][:]).long()
            require(torch.equal(there, places), f"{family}: locations differ")
        else:
            difference = far(trace["/trace/dram/location"][:], places)
            require(difference < TOLERANCE, f"{family}: places differ by {difference}")
    print(f"{family}: logits of T = {glimpses} to {error:.1e}, places "
          f"{'the same' if family == 'saccader' else 'to 1e-4'}")


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


for name in ("saccader", "classifier", "dram"):
    compare(name)
fine_tune()
