"""Measures add up over batches, and mean what their names say.

Covers `evaluation/network.py`.
"""

from dataclasses import replace

import pytest
import torch

from pocketrcnn.config import DataConfig, LossConfig, RPNConfig
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.course.experiments import NETWORKS
from pocketrcnn.evaluation import network
from pocketrcnn.evaluation.measures import Means, Sums, measure
from pocketrcnn.evaluation.network import batch_size, evaluate, max_candidates, predictions
from pocketrcnn.model.faster_rcnn import FasterRCNN, Prediction
from pocketrcnn.model.structures import Batch


def perfect(model: FasterRCNN, batch: Batch) -> Prediction:
    """What an all-knowing network would say."""
    assert model.rpn is not None
    labels, targets = model.rpn.targets(batch)
    objectness = (labels == 1).float() * 20 - 10
    logits = torch.nn.functional.one_hot(batch.labels, 10).float()
    proposals, scores = model.rpn.propose(objectness, targets)
    return Prediction(objectness, targets, proposals, scores, proposals, scores > 0, logits, None)


def measured(model: FasterRCNN, prediction: Prediction, batch: Batch) -> Sums:
    return measure(prediction, model.targets(prediction, batch), batch)


@pytest.fixture
def scenes() -> Batch:
    return open_dataset(DataConfig("sample", "scenes"), "test").batch(torch.arange(20))


def test_a_perfect_prediction_is_perfect_in_every_measure(scenes: Batch) -> None:
    model, means = FasterRCNN(NETWORKS["detector"]), Means()
    means.add(measured(model, perfect(model, scenes), scenes))
    result = means.result()
    for name in ("accuracy", "objectness_accuracy", "objectness_positive_accuracy", "objectness_negative_accuracy"):
        assert result[name] == 1
    for name in ("mean_iou", "recall_50", "recall_90"):
        assert result[name] == pytest.approx(1, abs=1e-5)
    assert result["box_loss"] == 0
    assert result["pixel_error"] == pytest.approx(0, abs=1e-4)


def test_suppressed_proposals_find_nothing(scenes: Batch) -> None:
    """They are padding with score 0, and once counted as detections."""
    model, means = FasterRCNN(NETWORKS["detector"]), Means()
    prediction = perfect(model, scenes)
    far = torch.zeros_like(prediction.proposals)
    both = torch.cat((far, prediction.proposals), 1)  # [B,2,4]
    scores = torch.cat((prediction.scores, torch.zeros_like(prediction.scores)), 1)
    means.add(measured(model, prediction._replace(proposals=both, scores=scores), scenes))
    assert means.result()["recall_50"] == means.result()["mean_iou"] == 0
    nothing = Means()
    nothing.add(measured(model, prediction._replace(scores=torch.zeros_like(prediction.scores)), scenes))
    assert nothing.result()["mean_iou"] == 0, "no proposal at all"


def test_pixel_error_is_in_pixels_for_one_coordinate(scenes: Batch) -> None:
    model, means = FasterRCNN(NETWORKS["detector"]), Means()
    prediction = perfect(model, scenes)
    moved = replace(scenes, boxes=scenes.boxes + torch.tensor([3.0, 0, 3, 0]))  # 3 px in one of three coordinates
    means.add(measured(model, prediction, moved))
    assert means.result()["pixel_error"] == pytest.approx(3 / 3**0.5, rel=1e-4)


def test_batches_of_any_size_add_up_to_the_whole(scenes: Batch) -> None:
    model = FasterRCNN(NETWORKS["detector"]).eval()
    whole, parts = Means(), Means()
    with torch.no_grad():
        prediction = model(scenes.images)
    whole.add(measured(model, prediction, scenes))
    for cut in (slice(0, 3), slice(3, 20)):
        batch = Batch(scenes.images[cut], scenes.boxes[cut], scenes.labels[cut], scenes.ids[cut])
        parts.add(measured(model, Prediction(*(None if t is None else t[cut] for t in prediction)), batch))
    assert parts.result() == pytest.approx(whole.result())


def test_means_survive_json_exactly(scenes: Batch) -> None:
    model, means = FasterRCNN(NETWORKS["detector"]).eval(), Means()
    with torch.no_grad():
        means.add(measured(model, model(scenes.images), scenes))
    assert Means.from_plain(means.plain()).result() == means.result()


@pytest.mark.parametrize(
    ("side", "candidates", "images"),
    [(48, 1, 250), (64, 250, 140), (96, 250, 62), (256, 770, 8), (256, 1000, 8), (256, 5000, 1), (64, 20_000, 1)],
)
def test_many_candidates_are_suppressed_in_fewer_images_at_once(side: int, candidates: int, images: int) -> None:
    """500 objects an image make 5,000 candidates: their pairs in eight images took 4 GB."""
    assert batch_size(side, candidates) == images
    assert batch_size(side) >= images


def test_the_candidates_of_a_network_are_no_more_than_its_anchors() -> None:
    rpn = RPNConfig(box_dims=4, candidates=50, proposals=20)
    config = replace(NETWORKS["detector"], rpn=rpn, detections=10)
    assert max_candidates(FasterRCNN(config)) == 36, "cells of 8 pixels"
    assert max_candidates(FasterRCNN(replace(config, input_size=96))) == 50
    assert max_candidates(FasterRCNN(replace(config, detections=20))) == 60, "of the detections"
    assert max_candidates(FasterRCNN(NETWORKS["convnet"])) == 3


def test_an_evaluation_keeps_to_the_pairs_that_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "MAX_SUPPRESSED", 30)
    model, dataset = FasterRCNN(NETWORKS["mobilenet"]), open_dataset(DataConfig("sample"), "test")
    assert [len(batch) for batch, _ in predictions(model, dataset, 7)] == [3, 3, 1]


def test_evaluation_is_the_same_twice_and_leaves_the_mode_alone() -> None:
    dataset = open_dataset(DataConfig("sample"), "test")
    model = FasterRCNN(NETWORKS["mobilenet"]).train()
    first, second = (evaluate(model, dataset, LossConfig(), 30) for _ in range(2))
    assert first == second
    assert model.training
    assert set(first) == {"accuracy", "loss_classification"}
    assert not torch.equal(torch.tensor(first["loss_classification"]), torch.tensor(0.0))
