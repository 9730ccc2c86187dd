"""The detector for many objects an image: several anchors, proposals after suppression, a background, refinement."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from pocketrcnn.config import BackboneConfig, Config, LossConfig, ModelConfig, OptimConfig, ROIConfig, RPNConfig
from pocketrcnn.course.data.datasets import Images
from pocketrcnn.evaluation.measures import Means, measure
from pocketrcnn.evaluation.network import evaluate
from pocketrcnn.model import boxes
from pocketrcnn.model.faster_rcnn import FasterRCNN, Prediction, total_loss
from pocketrcnn.model.roi import ROIHead
from pocketrcnn.model.rpn import RPN
from pocketrcnn.model.structures import PADDING, Batch
from pocketrcnn.training.loop import Trainer

SIDE, CLASSES = 64, 3
ANCHORS = ((12.0, 12.0), (24.0, 16.0), (32.0, 32.0))
MODEL = ModelConfig(
    backbone=BackboneConfig("residual", table=3, width=0.25, merge=4),
    rpn=RPNConfig(
        anchors=ANCHORS, channels=16, box_dims=4, prior=0.05, positive_iou=0.5, sample=32, candidates=40, proposals=20
    ),
    roi=ROIConfig(
        pool="transformer",
        channels=16,
        train_box="sampled",
        background=True,
        refine=True,
        sample=12,
        positive_fraction=0.5,
    ),
    input_size=SIDE,
    classes=CLASSES,
    detections=8,
)


def network(**changes: Any) -> FasterRCNN:
    torch.manual_seed(0)
    return FasterRCNN(replace(MODEL, **changes))


def some_batch(*objects: list[tuple[int, list[float]]]) -> Batch:
    """Noise with the given (label, box) in each image."""
    slots = max(1, *map(len, objects))
    corners, labels = torch.zeros(len(objects), slots, 4), torch.full((len(objects), slots), PADDING)
    for i, rows in enumerate(objects):
        for j, (label, box) in enumerate(rows):
            corners[i, j], labels[i, j] = torch.tensor(box), label
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (len(objects), 3, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    return Batch(images, corners, labels, torch.arange(len(objects)))


MIXED = some_batch([(2, [4, 6, 30, 20]), (0, [40, 40, 60, 60])], [], [(1, [0, 0, 64, 64])])


def prediction(regions: list[list[float]], logits: list[list[float]], scores: list[float], refined: Any) -> Prediction:
    """What a network says of one image, by hand."""
    proposed = torch.tensor([regions])
    deltas = None if refined is None else torch.tensor([refined])
    shown = torch.tensor([scores]) > 0
    return Prediction(None, None, proposed, torch.tensor([scores]), proposed, shown, torch.tensor([logits]), deltas)


def test_each_anchor_of_a_cell_has_separate_outputs() -> None:
    """Channels run anchor by anchor, each with all its parameters, as the anchors lie side by side in the grid."""
    assert MODEL.rpn is not None
    rpn = RPN(MODEL.rpn, 8, 4, SIDE)
    assert rpn.box is not None
    torch.nn.init.zeros_(rpn.box.weight)
    torch.nn.init.zeros_(rpn.objectness.weight)
    with torch.no_grad():
        rpn.box.bias.copy_(torch.arange(12.0))  # type: ignore[union-attr]
        rpn.objectness.bias.copy_(torch.arange(3.0))  # type: ignore[union-attr]
    objectness, deltas = rpn(torch.randn(2, 8, 16, 16))
    assert objectness[1, 30:33].tolist() == [0, 1, 2]
    assert deltas[1, 30:33].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_rectangles_are_proposed_as_they_are_told() -> None:
    model = network().eval()
    assert model.rpn is not None
    labels, deltas = RPN(replace(model.rpn.config, sample=0), 8, 4, SIDE).targets(MIXED)
    proposals, scores = model.rpn.propose((labels == boxes.POSITIVE).float() * 20 - 10, deltas)
    assert (scores.diff(dim=1) <= 0).all()
    for i in range(3):
        objects = MIXED.boxes[i][MIXED.valid[i]]
        overlap = boxes.iou(objects, proposals[i])
        assert torch.allclose(overlap.amax(1), torch.ones(len(objects)), atol=1e-3)
        assert ((scores[i] > 0.5).sum() == len(objects)).item(), "one proposal an object, after suppression"


def test_proposals_that_suppression_leaves_are_distinct_and_the_rest_has_score_0() -> None:
    model = network()
    assert model.rpn is not None
    count = len(model.rpn.anchors)
    onto_frame = boxes.encode(torch.tensor([0.0, 0, 64, 64]).expand(count, 4), model.rpn.anchors)
    proposals, scores = model.rpn.propose(torch.zeros(1, count), onto_frame[None])
    assert proposals.shape == (1, 20, 4)
    assert scores[0].tolist() == [0.5] + [0.0] * 19
    assert torch.isfinite(proposals).all()


def test_a_sample_of_anchors_is_what_the_losses_count() -> None:
    model = network()
    assert model.rpn is not None
    labels, _ = model.rpn.targets(MIXED)
    assert ((labels != boxes.IGNORED).sum(1) == 32).all()
    assert ((labels == boxes.POSITIVE).sum(1) <= 16).all()
    assert (labels[1] != boxes.POSITIVE).all(), "an image without objects has no positive anchor"


def head(**changes: Any) -> ROIHead:
    assert MODEL.roi is not None
    return ROIHead(replace(MODEL.roi, **changes), 8, CLASSES)


def sampled(proposals: Tensor, scores: Tensor, batch: Batch, **changes: Any) -> Tensor:
    torch.manual_seed(0)
    return head(**changes).sample(proposals, scores, batch.boxes, batch.valid)


def test_true_boxes_are_among_the_regions_to_learn_from() -> None:
    far = torch.tensor([50.0, 0, 60, 10]).expand(3, 20, 4)
    regions = sampled(far, torch.ones(3, 20), MIXED)
    assert regions.shape == (3, 12, 4)
    for i in range(3):
        for true in MIXED.boxes[i][MIXED.valid[i]]:
            assert (regions[i] == true).all(-1).any()
    assert (regions[1] == far[1, 0]).all(), "an image without objects: proposals alone"


def test_at_most_the_asked_part_of_the_regions_holds_an_object() -> None:
    near, far = torch.tensor([4.0, 6, 30, 20]), torch.tensor([50.0, 0, 60, 10])
    proposals = torch.stack([near] * 20 + [far] * 20).expand(3, 40, 4)
    regions = sampled(proposals, torch.ones(3, 40), MIXED, sample=16, positive_fraction=0.25)
    positive = boxes.iou(regions[:1], MIXED.boxes[:1])[0].amax(-1) >= 0.5
    assert positive.sum() == 4


def test_proposals_that_suppression_took_out_are_not_learned_from() -> None:
    proposals = torch.tensor([[1.0, 1, 9, 9], [50, 0, 60, 10]]).expand(3, 2, 4)
    regions = sampled(proposals, torch.tensor([[0.9, 0.0]]).expand(3, 2), MIXED)
    assert not (regions == proposals[0, 1]).all(-1).any()


def test_where_an_image_has_too_few_regions_the_same_are_taken_again() -> None:
    regions = sampled(torch.tensor([50.0, 0, 60, 10]).expand(3, 1, 4), torch.ones(3, 1), MIXED)
    counts = [tuple(row) for row in regions[0].tolist()]
    assert {counts.count(row) for row in counts} == {4}, "three candidates, twelve regions"


def test_an_image_with_nothing_at_all_gives_finite_regions() -> None:
    regions = sampled(torch.zeros(3, 1, 4), torch.zeros(3, 1), MIXED)
    assert (regions[1] == 0).all()
    classes, wanted = network().region_targets(regions, MIXED)
    assert classes[1].tolist() == [CLASSES] * 12
    assert torch.isfinite(wanted).all()


def test_regions_get_the_class_they_overlap_most_or_the_background() -> None:
    model = network()
    regions = torch.tensor([[[4.0, 6, 28, 20], [44, 44, 60, 60], [0, 40, 20, 60], [4, 6, 17, 20]]]).expand(3, 4, 4)
    classes, wanted = model.region_targets(regions, MIXED)
    assert classes[0].tolist() == [2, 0, CLASSES, 2], "an overlap of just 0.5 is enough"
    assert classes[1].tolist() == [CLASSES] * 4, "no objects: background, not padding"
    assert torch.allclose(boxes.decode(wanted[0, :2], regions[0, :2]), MIXED.boxes[0], atol=1e-4)


def test_a_region_without_area_costs_no_run() -> None:
    """Clipping at the frame may leave one; the logarithm of its side was infinite, and the loss NaN."""
    model = network().train()
    regions = torch.tensor([[[64.0, 10, 64, 20], [4, 6, 4, 6], [4, 6, 30, 20], [64, 64, 64, 64]]]).expand(3, 4, 4)
    made = model(MIXED.images)
    logits, refined = model.classify(model.backbone(model.normalise(MIXED.images)), regions)
    made = made._replace(regions=regions, shown=torch.ones(3, 4, dtype=torch.bool), logits=logits, refined=refined)
    losses = model.losses(made, model.targets(made, MIXED), LossConfig())
    total_loss(losses, LossConfig()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_suppressed_proposals_count_in_no_loss_and_no_accuracy() -> None:
    """They fill the rest of the proposals, with score 0; they once counted as regions."""
    assert MODEL.rpn is not None
    model = network(rpn=replace(MODEL.rpn, nms_iou=0.1)).eval()
    made = model(MIXED.images)
    gone = made.scores == 0
    assert gone.any()
    targets = model.targets(made, MIXED)
    assert torch.equal(targets.classes == PADDING, gone)
    wrong = made._replace(logits=made.logits + 9 * torch.randn_like(made.logits) * gone[..., None])
    for name, loss in model.losses(made, targets, LossConfig()).items():
        assert torch.equal(model.losses(wrong, targets, LossConfig())[name], loss), name
    right, counted = measure(made, targets, MIXED)["accuracy"]
    assert counted == (~gone).sum()
    assert right <= counted


def test_in_training_a_part_of_the_proposals_is_enough() -> None:
    assert MODEL.rpn is not None
    model = network(rpn=replace(MODEL.rpn, training_fraction=0.25))
    assert model(MIXED.images).proposals.shape == (3, 20, 4)
    assert model(MIXED.images, MIXED).proposals.shape == (3, 5, 4)


def test_the_refinement_learns_from_regions_with_an_object_alone() -> None:
    model = network()
    wanted, refined = torch.zeros(1, 3, 4), torch.full((1, 3, 4), 0.2)
    classes = torch.tensor([[0, CLASSES, PADDING]])
    error = 2 * (2 - 0.5) + 2 * (1 - 0.5)  # 0.2 is 2 units of t_x, t_y, and 1 of t_w, t_h: smooth L1
    assert float(model.box_regression_loss(refined, wanted, classes)) == pytest.approx(error)
    assert float(model.box_regression_loss(refined, wanted, torch.full((1, 3), CLASSES))) == 0


SURE, NONE = 20.0, -20.0


def test_detections_of_one_class_suppress_each_other_those_of_two_do_not() -> None:
    same = [[10.0, 10, 30, 30], [11, 10, 31, 30], [10, 10, 30, 30]]
    logits = [[SURE, 0, 0, 0], [SURE, 0, 0, 0], [0, SURE, 0, 0]]
    detections = network(min_score=0.1).decode(prediction(same, logits, [0.8, 0.9, 0.7], None))
    assert detections.labels[0].tolist() == [0, 1] + [PADDING] * 6
    assert detections.scores[0].tolist() == pytest.approx([0.9, 0.7] + [0] * 6, abs=1e-6)
    assert detections.boxes[0, 0].tolist() == [11, 10, 31, 30]
    assert (detections.boxes[0, 2:] == 0).all()


def test_a_region_may_be_a_detection_of_two_classes() -> None:
    detections = network(min_score=0.1).decode(prediction([[10.0, 10, 30, 30]], [[5, 5, NONE, NONE]], [1.0], None))
    assert sorted(detections[0].labels.tolist()) == [0, 1]
    assert detections[0].scores.tolist() == pytest.approx([0.5, 0.5], abs=1e-6)


def test_the_background_takes_its_part_of_the_score_and_is_never_a_detection() -> None:
    detections = network(min_score=0.0).decode(prediction([[10.0, 10, 30, 30]], [[1.0, 0, 0, 3]], [0.5], None))
    probability = torch.tensor([1.0, 0, 0, 3]).softmax(0)
    assert detections[0].scores.tolist() == pytest.approx((0.5 * probability[:3]).tolist())
    assert detections[0].labels.tolist() == [0, 1, 2]


def test_no_more_detections_than_asked_for_best_first() -> None:
    regions = [[float(x), float(y), x + 6.0, y + 6.0] for x in range(0, 56, 8) for y in range(0, 56, 8)]
    scores = [(i * 37 % 49 + 1) / 50 for i in range(49)]
    detections = network(min_score=0.01).decode(prediction(regions, [[SURE, 0, 0, 0]] * 49, scores, None))
    assert detections.labels.shape == (1, 8)
    assert detections[0].scores.tolist() == pytest.approx(sorted(scores, reverse=True)[:8], abs=1e-6)


@pytest.mark.parametrize(("least", "count"), [(0.0, 3), (0.3, 2), (0.95, 0)])
def test_detections_below_the_least_score_are_left_out(least: float, count: int) -> None:
    regions = [[0.0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]]
    only = [[SURE, NONE, NONE, NONE]] * 3
    detections = network(min_score=least).decode(prediction(regions, only, [0.2, 0.9, 0.6], None))
    assert ((detections.scores[0] > least) & (detections.labels[0] == 0)).sum() == count
    assert len(detections[0].labels) >= count


def test_padded_proposals_are_no_detections() -> None:
    detections = network(min_score=0.0).decode(
        prediction([[10.0, 10, 30, 30]] * 2, [[SURE, NONE, NONE, NONE]] * 2, [0.0] * 2, None)
    )
    assert detections.labels[0].tolist() == [PADDING] * len(detections.labels[0])
    assert len(detections[0].boxes) == 0


def test_refined_boxes_stay_in_the_frame() -> None:
    moved = [[0.5, 0, 0, 0], [0, 0, 9.0, 9.0]]
    detections = network(min_score=0.1).decode(
        prediction([[10.0, 10, 30, 30], [40, 40, 60, 60]], [[SURE, 0, 0, 0], [0, SURE, 0, 0]], [0.9, 0.8], moved)
    )
    assert detections[0].boxes.tolist() == [[20, 10, 40, 30], [0, 0, 64, 64]]


@torch.no_grad()
def test_a_batch_of_three_is_three_batches_of_one() -> None:
    model = network(min_score=0.001).eval()
    together = model(MIXED.images)
    detections = model.decode(together)
    for i in range(3):
        alone = model(MIXED.images[i : i + 1])
        for whole, part in zip(together, alone, strict=True):
            assert torch.allclose(whole[i : i + 1], part, atol=1e-4)
        one = model.decode(alone)
        assert torch.equal(one.labels[0], detections.labels[i])
        assert torch.allclose(one.boxes[0], detections.boxes[i], atol=1e-3)


def constant(images: int, *objects: tuple[int, list[float]]) -> Images:
    """The same noise and objects again and again, as a data set; no objects: an empty slot each."""
    batch = some_batch(*[list(objects)] * images)
    return Images("noise", batch.images, batch.boxes, batch.labels)


def config(**train: Any) -> Config:
    base = Config(model=MODEL, optim=OptimConfig("adam", lr=3e-3))
    return replace(base, train=replace(base.train, iterations=4, batch=4, precision="float32", **train))


def test_images_without_objects_train_without_trouble() -> None:
    nothing = constant(6)
    trainer = Trainer(config(), nothing, nothing, torch.device("cpu"))
    for _ in range(4):
        trainer.step()
    means = trainer.state.means.result()
    assert means["loss_box"] == means["loss_box_regression"] == 0
    assert all(torch.isfinite(p).all() for p in trainer.state.model.parameters())
    metrics = evaluate(trainer.state.evaluated, nothing, LossConfig())
    assert metrics["mean_iou"] == 0
    assert all(torch.isfinite(torch.tensor(value)) for value in metrics.values())


def test_the_metrics_of_an_evaluation_do_not_depend_on_the_random_numbers_before() -> None:
    """The losses count a random sample of anchors: on validation data the same one every time."""
    model, some = network(), constant(6, (2, [4.0, 6, 30, 20]))
    metrics = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        metrics.append(evaluate(model, some, LossConfig()))
    assert metrics[0] == metrics[1]


@torch.no_grad()
def test_measures_of_batches_add_up_whatever_the_number_of_slots() -> None:
    model, whole, parts = network().eval(), Means(), Means()
    made = model(MIXED.images)
    torch.manual_seed(0)
    whole.add(measure(made, model.targets(made, MIXED), MIXED))
    padded = replace(
        MIXED,
        boxes=torch.cat((MIXED.boxes, torch.zeros(3, 4, 4)), 1),
        labels=torch.cat((MIXED.labels, torch.full((3, 4), PADDING)), 1),
    )
    torch.manual_seed(0)
    parts.add(measure(made, model.targets(made, padded), padded))
    assert parts.result() == pytest.approx(whole.result())


def test_every_parameter_of_the_detector_is_trained() -> None:
    model = network().train()
    made = model(MIXED.images, MIXED)
    losses = model.losses(made, model.targets(made, MIXED), LossConfig())
    assert list(losses) == ["objectness", "box", "classification", "box_regression"]
    total_loss(losses, LossConfig()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
