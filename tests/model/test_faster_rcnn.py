"""The detector as a whole: every network of the project predicts, learns and detects through the same functions.

Covers `model/structures.py`.
"""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from pocketrcnn.config import BackboneConfig, LossConfig, ModelConfig, ROIConfig, RPNConfig
from pocketrcnn.course.experiments import NETWORKS, pocket
from pocketrcnn.errors import UserError
from pocketrcnn.model.boxes import decode
from pocketrcnn.model.faster_rcnn import FasterRCNN, total_loss
from pocketrcnn.model.structures import Batch, Detections


def some_batch(side: int, count: int = 4) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator)
    boxes = torch.tensor([4.0, 6, 30, 32]).expand(count, 1, 4)
    return Batch(images, boxes, torch.arange(count)[:, None] % 10, torch.arange(count))


def network(name: str) -> FasterRCNN:
    torch.manual_seed(0)
    return FasterRCNN(NETWORKS[name])


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_predicts_learns_and_detects(name: str) -> None:
    model = network(name)
    batch = some_batch(model.config.input_size)
    prediction = model(batch.images, batch)
    losses = model.losses(prediction, model.targets(prediction, batch), LossConfig())
    total_loss(losses, LossConfig()).backward()
    assert all(p.grad is not None for p in model.parameters())
    detections = model.eval().detect(batch.images)
    assert detections.boxes.shape == (4, 1, 4)
    assert ((detections.scores >= 0) & (detections.scores <= 1)).all()
    assert len(detections[0].labels) == 1


@pytest.mark.parametrize("pool", ["frame", "transformer", "max"])
def test_settings_are_refused_or_give_a_network_that_learns_and_detects(pool: str) -> None:
    """Settings that each are possible, and contradict each other, as a damaged file has them."""
    counts: Counter[str] = Counter()
    rpns = None, RPNConfig(channels=4), RPNConfig(channels=4, candidates=9, proposals=3)
    boxes = "truth", "predicted", "jittered", "sampled"
    for channels, size, rpn, box, more in product((0, 5), (1, 3), rpns, boxes, (False, True)):
        roi = ROIConfig(pool, size, channels, train_box=box, sample=2, background=more, refine=more)  # type: ignore[arg-type]
        if pool == "frame" and (rpn or box == "sampled"):
            with pytest.raises(UserError, match="`frame` classifies the whole input"):
                ModelConfig(rpn=rpn, roi=roi)
            counts["refused"] += 1
            continue
        config = ModelConfig(BackboneConfig(table=2, width=0.05), rpn, roi, input_size=48)
        model, batch = FasterRCNN(config), some_batch(48, 2)
        prediction = model(batch.images, batch)
        total_loss(model.losses(prediction, model.targets(prediction, batch), LossConfig()), LossConfig()).backward()
        assert model.eval().detect(batch.images).boxes.shape == (2, 1, 4)
        counts["built"] += 1
    assert counts == ({"built": 24, "refused": 72} if pool == "frame" else {"built": 96})


@pytest.mark.parametrize("count", [1, 2])
def test_images_of_whatever_strides_become_channels_last(count: int) -> None:
    """A row that was added to an array of numpy has a stride of 0, and what keeps it is slow to torch."""
    model = network("detector")
    frames = np.zeros((count, 48, 48, 3), np.uint8)
    for array in (frames, frames[:, None][:, 0], np.zeros((48, 48, 3), np.uint8)[None]):
        normal = model.normalise(torch.from_numpy(array).permute(0, 3, 1, 2))
        assert normal.stride() == (3 * 48 * 48, 1, 3 * 48, 3)
        assert model.backbone(normal).is_contiguous(memory_format=torch.channels_last)


def test_a_batch_of_two_is_two_batches_of_one() -> None:
    model, batch = network("detector").eval(), some_batch(48, 2)
    together = model(batch.images)
    for i in range(2):
        alone = model(batch.images[i : i + 1])
        for whole, part in zip(together, alone, strict=True):
            assert whole is part is None or torch.allclose(whole[i : i + 1], part, atol=1e-4)


def test_a_classifier_is_a_detector_whose_one_box_is_the_frame() -> None:
    detections = network("convnet").eval().detect(some_batch(32).images)
    assert detections.boxes[:, 0].tolist() == [[0, 0, 32, 32]] * 4


def test_total_loss_is_the_weighted_sum() -> None:
    losses = {"objectness": torch.tensor(1.0), "box": torch.tensor(2.0), "classification": torch.tensor(3.0)}
    assert float(total_loss(losses, LossConfig(objectness=1, box=100, classification=0.5))) == 1 + 200 + 1.5
    assert float(total_loss(losses, LossConfig(box=100), ("backbone", "rpn"))) == 1 + 200
    assert float(total_loss(losses, LossConfig(box=100), ("head",))) == 3


def test_the_object_loss_does_not_move_the_box_layer() -> None:
    """Proposals carry no gradient: the joint training of the course, not a path through theta."""
    model, batch = network("detector"), some_batch(48)
    prediction = model(batch.images)
    losses = model.losses(prediction, model.targets(prediction, batch), LossConfig())
    losses["classification"].backward()
    assert model.rpn is not None
    assert model.rpn.box is not None
    assert model.rpn.box.weight.grad is None


@pytest.mark.parametrize("box", ["truth", "predicted", "jittered"])
def test_training_regions(box: str) -> None:
    config = NETWORKS["detector"]
    assert config.roi is not None
    model = FasterRCNN(replace(config, roi=replace(config.roi, train_box=box, jitter=0.05)))
    batch = some_batch(48)
    prediction = model(batch.images, batch)
    if box == "predicted":
        assert prediction.regions is prediction.proposals
    elif box == "truth":
        assert prediction.regions is batch.boxes
    else:
        assert not torch.equal(prediction.regions, batch.boxes)
        assert torch.allclose(prediction.regions, batch.boxes, atol=26 * 0.05 * 5)


def test_empty_slots_are_no_regions() -> None:
    """Where the true boxes are cropped, slots without an object do not count; without any object all are background."""
    config = NETWORKS["detector"]
    assert config.roi is not None
    model = FasterRCNN(replace(config, roi=replace(config.roi, train_box="truth", background=True)))
    batch = some_batch(48)
    labels = batch.labels.clone()
    labels[1:] = -1
    few, none = replace(batch, labels=labels), replace(batch, labels=torch.full_like(labels, -1))
    for given, expected in ((few, [int(labels[0, 0]), *[-1] * (len(batch) - 1)]), (none, [10] * len(batch))):
        prediction = model(batch.images, given)
        targets = model.targets(prediction, given)
        assert targets.classes.flatten().tolist() == expected
        assert model.losses(prediction, targets, LossConfig())["classification"].isfinite()


def test_evaluation_uses_the_boxes_of_the_network_whatever_training_used() -> None:
    model, batch = network("detector").eval(), some_batch(48)
    with torch.no_grad():
        proposed, given = model(batch.images), model(batch.images, batch)
    assert proposed.regions is proposed.proposals
    assert torch.equal(proposed.proposals, given.proposals)
    assert not torch.equal(proposed.logits, given.logits)


def test_a_region_gets_the_class_of_the_object_it_overlaps_most() -> None:
    model = FasterRCNN(pocket(NETWORKS["detector"]).model)
    batch = Batch(
        torch.zeros(1, 3, 48, 48, dtype=torch.uint8),
        torch.tensor([[[0.0, 0, 20, 20], [24, 24, 48, 48], [0, 0, 48, 48]]]),
        torch.tensor([[3, 7, -1]]),
        torch.tensor([0]),
    )
    regions = torch.tensor([[[22.0, 22, 46, 46], [1, 1, 20, 20]]])
    classes, deltas = model.region_targets(regions, batch)
    assert classes.tolist() == [[7, 3]]
    assert torch.allclose(decode(deltas, regions), batch.boxes[:, [1, 0]], atol=1e-4)


def test_detections_are_unpadded_by_image() -> None:
    detections = Detections(torch.zeros(2, 3, 4), torch.zeros(2, 3), torch.tensor([[1, -1, -1], [2, 3, -1]]))
    assert [len(detections[i]) for i in range(2)] == [1, 2]
    assert detections[1].labels.tolist() == [2, 3]


def test_wrong_shapes_are_caught_where_they_arise() -> None:
    with pytest.raises(AssertionError, match="one box a label"):
        Detections(torch.zeros(2, 3, 4), torch.zeros(2, 2), torch.zeros(2, 2, dtype=torch.int64))
    with pytest.raises(AssertionError, match="uint8"):
        Batch(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.int64), torch.arange(1))
