"""Pictures for the report: which detections are shown, and how many images are in memory at once."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor

from pocketrcnn.config import DataConfig
from pocketrcnn.course import pictures
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.data.dataset import Dataset
from pocketrcnn.evaluation.network import EVALUATION_BATCH
from pocketrcnn.model.faster_rcnn import FasterRCNN
from pocketrcnn.model.structures import Detections
from pocketrcnn.report.crops import png

CLASSES = 10


class Guesser:
    """Says of image i, counted from 0, the right class if `right(i)`, and remembers how many images it was shown."""

    def __init__(self, dataset: Dataset, right: Any) -> None:
        self.truth = dataset.batch(torch.arange(pictures.LOOKED_AT))
        self.right, self.shown = right, list[int]()

    def detect(self, images: Tensor) -> Detections:
        start = sum(self.shown)
        self.shown.append(len(images))
        labels = self.truth.labels[start : start + len(images)].clone()
        for i in range(len(images)):
            labels[i] = (labels[i] + (0 if self.right(start + i) else 1)) % CLASSES
        boxes = self.truth.boxes[start : start + len(images)]
        return Detections(boxes, torch.full(labels.shape, 0.5), labels)


@pytest.fixture(scope="module")
def scenes() -> Dataset:
    return open_dataset(DataConfig("sample", "scenes"), "test")


def looked_at(dataset: Dataset, right: Any) -> tuple[list[dict[str, Any]], list[int]]:
    guesser = Guesser(dataset, right)
    return pictures.detections(cast(FasterRCNN, guesser), dataset), guesser.shown


def test_detections_are_the_first_right_and_the_first_wrong_ones(scenes: Dataset) -> None:
    shown, _ = looked_at(scenes, lambda i: i % 3 != 1)
    truth = scenes.batch(torch.arange(pictures.LOOKED_AT))
    right = [i for i in range(pictures.LOOKED_AT) if i % 3 != 1][: pictures.KEPT]
    wrong = [i for i in range(pictures.LOOKED_AT) if i % 3 == 1][: pictures.KEPT]
    assert [one["right"] for one in shown] == [True] * pictures.KEPT + [False] * pictures.KEPT
    assert [one["image"] for one in shown] == [png(truth.images[i]) for i in right + wrong]
    assert [one["label"] for one in shown] == [scenes.classes[int(truth.labels[i])] for i in right + wrong]


def test_no_more_images_are_in_memory_than_in_an_evaluation(scenes: Dataset) -> None:
    """All 500 at once took the peak of `make reproduce` from 1.6 to 2.9 GB."""
    shown, batches = looked_at(scenes, lambda _: True)
    assert [one["right"] for one in shown] == [True] * pictures.KEPT, "no wrong one among those looked at"
    assert sum(batches) == pictures.LOOKED_AT
    assert max(batches) <= EVALUATION_BATCH


def test_looking_ends_when_both_kinds_are_there(scenes: Dataset) -> None:
    _, batches = looked_at(scenes, lambda i: i % 2 == 0)
    assert len(batches) == 1
