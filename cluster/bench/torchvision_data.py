"""Times torchvision's loading of training images: ImageFolder with Pillow, v2 transforms, DataLoader.

python3 torchvision_data.py FOLDER SIZE BATCH WORKERS STEPS; prints one JSON object.
"""

import json
import os
import sys
import time

import torch

# torchvision's compiled operators (nms and the like) load no images, and may be of another build of
# torch than the CPU's: then they could not be declared.
torch.library.register_fake = lambda *_, **__: lambda function: function

from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

folder = sys.argv[1]
size, batch, workers, steps = map(int, sys.argv[2:])
torch.set_num_threads(1)


def core_seconds(processes):
    """Seconds that this process and the workers have spent on a core."""
    ticks = 0
    for process in ["self", *processes]:
        with open(f"/proc/{process}/stat") as stat:
            ticks += sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


transform = v2.Compose([
    v2.RandomResizedCrop(size, interpolation=v2.InterpolationMode.BICUBIC, antialias=True),
    v2.RandomHorizontalFlip(),
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
    v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
])


class Repeated(torch.utils.data.Dataset):
    """The folder's images over and over, so that the time is as long as is asked for."""

    def __init__(self):
        self.images = ImageFolder(os.path.join(folder, "train"), transform)

    def __len__(self):
        return (steps + 1) * batch

    def __getitem__(self, index):
        return self.images[index % len(self.images)]


loader = torch.utils.data.DataLoader(
    Repeated(), batch_size=batch, shuffle=True, num_workers=workers, prefetch_factor=3)
batches = iter(loader)
next(batches)
processes = [worker.pid for worker in batches._workers]
start, before = time.perf_counter(), core_seconds(processes)
for _ in range(steps):
    next(batches)
seconds, used = time.perf_counter() - start, core_seconds(processes) - before
print(json.dumps({
    "imagesPerSecond": steps * batch / seconds,
    "imagesPerCoreSecond": steps * batch / used}))
