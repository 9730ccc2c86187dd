"""A network on a data set: its metrics, its detections, and the ground truth behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import torch

from ..config import LossConfig
from ..data.boxes import Boxes
from ..data.dataset import Dataset, EvaluationDataset
from ..data.images.views import in_images
from ..model.faster_rcnn import CANDIDATES, FasterRCNN, Prediction
from ..model.structures import Batch, Detections
from .measures import Means, measure

if TYPE_CHECKING:
    from .average_precision import Evaluation

Compared: TypeAlias = tuple[Sequence[Boxes], Sequence[Boxes]]
"""Ground truth and detections of the images of a split."""
Conclude: TypeAlias = "Callable[[list[Boxes], list[Boxes]], Evaluation]"

EVALUATION_BATCH = 250  # images of 48x48; large enough to fill two cores, small enough for the cache
SMALLEST_BATCH = 8
MAX_SUPPRESSED = 25_000_000  # pairs of candidates in suppression at once, which take half a gigabyte


def batch_size(side: int, candidates: int = 1) -> int:
    """Images of `side` pixels that are evaluated at once; fewer where many candidates an image enter suppression."""
    usual = max(SMALLEST_BATCH, min(EVALUATION_BATCH, EVALUATION_BATCH * 48**2 // side**2))
    return max(1, min(usual, MAX_SUPPRESSED // candidates**2))


def max_candidates(model: FasterRCNN) -> int:
    """Boxes an image that enter suppression, that of the proposals or that of the detections."""
    proposed = min(model.rpn.config.candidates, len(model.rpn.anchors)) if model.rpn else 1
    return max(proposed, CANDIDATES * model.config.detections)


def evaluate(
    model: FasterRCNN, dataset: Dataset, config: LossConfig, images: int | None = None, monitor: str = ""
) -> dict[str, float]:
    """Means over `images` of the data set, evenly spread (all of them by default), with predicted boxes and without
    augmentation.

    Returns the measures of `measure`, the losses as `loss_objectness`, `loss_box`, .., and, if `monitor` names a
    metric, COCO's average precision: `AP`, `AP50`, `AP75`, `AR` (0 where there are no objects).
    """
    return assess(model, dataset, config, images, monitor)[0]


@torch.no_grad()
def assess(
    model: FasterRCNN,
    dataset: Dataset,
    config: LossConfig,
    images: int | None,
    monitor: str,
    *,
    conclude: Conclude | None = None,
) -> tuple[dict[str, float], Evaluation | None]:
    """The metrics of `evaluate`, of its `images` and `monitor`, and what `conclude` makes of ground truth and
    detections, which are matched there.
    """
    means, found = Means(), list[tuple[int, Boxes]]()
    torch.manual_seed(0)  # the losses count a random sample of anchors: the same one every time
    for batch, prediction in predictions(model, dataset, images):
        targets = model.targets(prediction, batch)
        means.add(measure(prediction, targets, batch))
        for name, loss in model.losses(prediction, targets, config).items():
            means.add({f"loss_{name}": (loss * len(batch), torch.tensor(len(batch)))})
        if monitor or conclude:
            found += answers(model.decode(prediction), batch)
    ground_truth, detections = in_whole_images(found, dataset) if monitor or conclude else ([], [])
    evaluation = conclude(ground_truth, detections) if conclude else None
    overall = evaluation.overall if evaluation else {}
    if monitor and not evaluation:
        from .average_precision import average_precision

        overall = average_precision(ground_truth, detections, len(dataset.classes))
    return means.result() | {name: value or 0.0 for name, value in overall.items()}, evaluation


def predictions(model: FasterRCNN, dataset: Dataset, images: int | None) -> Iterator[tuple[Batch, Prediction]]:
    """So many images of a data set, evenly spread, batch by batch, with the output of the network."""
    was_training = model.training
    model.eval()
    count = len(dataset) if images is None else min(images, len(dataset))
    step = batch_size(dataset.size, max_candidates(model))
    indices = torch.arange(count) * len(dataset) // max(count, 1)
    views = dataset.views_of(indices) if isinstance(dataset, EvaluationDataset) else indices
    for start in range(0, len(views), step):
        batch = dataset.batch(views[start : start + step])
        yield batch, model(batch.images)
    model.train(was_training)


@torch.no_grad()
def detect(model: FasterRCNN, dataset: Dataset) -> tuple[list[Boxes], list[Boxes]]:
    """Ground truth and detections of a whole data set, image by image: what `evaluate` compares."""
    found: list[tuple[int, Boxes]] = []
    for batch, prediction in predictions(model, dataset, None):
        found += answers(model.decode(prediction), batch)
    return in_whole_images(found, dataset)


def answers(detections: Detections, batch: Batch) -> list[tuple[int, Boxes]]:
    """What was detected in each view of a batch, in pixels of the input, with the view's index."""
    arrays = detections.numpy()
    rows = [arrays[row] for row in range(len(arrays))]
    return [
        (view, Boxes(one.boxes, one.labels, one.scores)) for view, one in zip(batch.ids.tolist(), rows, strict=True)
    ]


def in_whole_images(found: list[tuple[int, Boxes]], dataset: Dataset) -> tuple[list[Boxes], list[Boxes]]:
    """Ground truth and detections of whole images, in their pixels, as `predict` gives them: cut at the borders of the
    image, without those in the grey beside it, those of tiles put together. found: in all their views, in order.
    """
    assert isinstance(dataset, EvaluationDataset), "average precision needs the ground truth of a folder"
    images = [dataset.image_of(view) for view, _ in found]
    detections = in_images((dataset.seen(image), one) for image, (_, one) in zip(images, found, strict=True))
    return [dataset.ground_truth(image) for image in dict.fromkeys(images)], list(detections)
