"""The training loop that a course begins with, on the base network B1 (Table 1 of the report) and CIFAR-10.

float32, NCHW, a DataLoader over PIL images, random crop and flip, Adam with 1e-3, cross entropy, batches of 100.
Trained on the first 10,000 training images, evaluated on all 10,000 test images every `--interval` iterations, which
is not counted. It ends when accuracy has been above `--level` for a while, or when the time is over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import exchange
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

BATCH = 100
STAYS = 16  # evaluations in a row above the level, after which it is taken to stay there
NORMALISE = transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
TRAINING = transforms.Compose(
    [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.ToTensor(), NORMALISE]
)
TESTING = transforms.Compose([transforms.ToTensor(), NORMALISE])


class Cifar10(Dataset[tuple[Tensor, int]]):
    """A record file of CIFAR-10: a label byte, then 3 x 32 x 32 bytes of pixels."""

    def __init__(self, path: Path, transform: transforms.Compose) -> None:
        records = np.fromfile(path, np.uint8).reshape(-1, 1 + 3 * 32 * 32)
        self.labels = records[:, 0].tolist()
        self.images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def block(in_channels: int, out_channels: int, kernel: int) -> list[nn.Module]:
    """A row of Table 1."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
    return [convolution, nn.BatchNorm2d(out_channels), nn.ReLU(), nn.MaxPool2d(2)]


def network() -> nn.Sequential:
    """B1."""
    rows = ((3, 32, 5), (32, 64, 5), (64, 128, 5), (128, 256, 5), (256, 512, 3))
    layers = [layer for row in rows for layer in block(*row)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def train(options: Any) -> dict[str, Any]:
    """Train until accuracy stays above the level, or the time is over."""
    data = Cifar10(options.data / "data_batch_1.bin", TRAINING)
    test = DataLoader(Cifar10(options.data / "test_batch.bin", TESTING), 500)
    watch, iterations = exchange.Stopwatch(), 0
    loader = DataLoader(data, BATCH, shuffle=True, num_workers=2)
    model, compare = network(), nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    curve: list[tuple[int, float, float]] = []
    while True:
        for images, labels in loader:
            loss = compare(model(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            iterations += 1
            over = watch.seconds >= options.minutes * 60
            if iterations % options.interval == 0 or over:
                curve.append((iterations, watch.seconds, watch.pause(lambda: accuracy(model, test))))
                print(*curve[-1], flush=True)
            last = [one for *_, one in curve[-STAYS:]]
            if over or (len(last) == STAYS and min(last) > options.level):
                return {"curve": curve, "iterations": iterations, "seconds": watch.seconds}


@torch.no_grad()
def accuracy(model: nn.Module, loader: DataLoader[Any]) -> float:
    """The part of test images whose class is right."""
    model.eval()
    right = sum(int((model(images).argmax(1) == labels).sum()) for images, labels in loader)
    model.train()
    return right / len(loader.dataset)  # type: ignore[arg-type]


def main() -> None:
    """Train, and write the curve."""
    parser = exchange.parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of CIFAR-10's record files")
    parser.add_argument("--interval", type=int, required=True, help="iterations between two evaluations")
    parser.add_argument("--level", type=float, required=True, help="accuracy")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    result = train(options) | {
        "threads": torch.get_num_threads(),
        "versions": exchange.versions("torch", "torchvision", "pillow"),
    }
    exchange.write(options.out / exchange.RESULT, result)


if __name__ == "__main__":
    main()
