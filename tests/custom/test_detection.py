"""Equal output of a network gives equal detections, to the bit, in `Detector`, in an exported file and in `eval`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_detectors import Bright, bright_detector

from pocketrcnn.custom.onnx.runtime import Detector
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.dataset import EvaluationDataset
from pocketrcnn.data.images.views import Views
from pocketrcnn.evaluation.network import answers, in_whole_images
from pocketrcnn.model.structures import Batch, Detections

SIDE = 64
SIZES = ((64, 64), (50, 20), (200, 90), (1, 7), (33, 500), (97, 89))  # width, height
COUNT = 200  # detections an image


def output() -> Detections:
    """What a network might say of each image: boxes that cross borders, lie in the grey or have no area; padding."""
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(len(SIZES), COUNT, 4, generator=generator) * (SIDE + 20) - 10
    labels = torch.randint(-1, 2, (len(SIZES), COUNT), generator=generator)
    return Detections(corners, torch.rand(len(SIZES), COUNT, generator=generator) * (labels >= 0), labels)


class Fixed(Bright):
    """A network that always gives the same."""

    def detect(self, images: torch.Tensor) -> Detections:
        return output()


class Session:
    """An exported network that always gives the same."""

    def run(self, *_: object) -> list[np.ndarray]:
        return [values.numpy() for values in (output().boxes, output().scores, output().labels)]


class Images:
    """A data set of the same sizes, without objects."""

    name, classes, size, official = "images", ["cat", "dog"], SIDE, False

    def __len__(self) -> int:
        return len(SIZES)

    def to(self, device: torch.device) -> Images:
        return self

    def batch(self, indices: torch.Tensor) -> Batch:
        return Batch(torch.zeros(len(SIZES), 3, 8, 8).byte(), torch.zeros(6, 1, 4), -torch.ones(6, 1).long(), indices)

    def views_of(self, indices: torch.Tensor) -> torch.Tensor:
        return indices

    def image_of(self, view: int) -> int:
        return view

    def seen(self, index: int) -> Views:
        return Views.of(SIZES[index], SIDE, 0)

    def ground_truth(self, index: int) -> Boxes:
        return Boxes(np.zeros((0, 4)), [])


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_equal_output_gives_equal_detections_everywhere(threshold: float) -> None:
    pictures = [np.zeros((height, width, 3), np.uint8) for width, height in SIZES]
    in_torch = replace(bright_detector(), model=Fixed(SIDE, 1))(pictures, threshold, batch=6)  # type: ignore[arg-type]
    exported = Detector(Session(), ("cat", "dog"), 0.5, SIDE)(pictures, threshold, batch=6)
    dataset = Images()
    assert isinstance(dataset, EvaluationDataset)
    _, evaluated = in_whole_images(answers(output(), dataset.batch(torch.arange(6))), dataset)
    for name in ("boxes", "scores", "labels"):
        assert getattr(in_torch, name).numpy().tobytes() == getattr(exported, name).tobytes(), name
        for i, one in enumerate(evaluated):
            shown = getattr(one[one.scores >= threshold], name)
            assert np.array_equal(getattr(exported[i], name), shown), name
    assert sum(map(len, evaluated)) > 20
