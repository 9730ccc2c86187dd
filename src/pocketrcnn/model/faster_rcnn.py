"""The detector: backbone, region proposals, regions of interest, classes. Every network of the project is one of these.

A classifier has no proposals (its one box is the input), a proposal network has no classes; both are configurations.
Prediction, targets, loss and decoding are separate functions, so that a validation loss costs nothing.
Legend: B images, N anchors, D box parameters, P proposals, R regions that are classified (the proposals, or in training
others), G object slots, K classes, K' = K or, with the background, K + 1, M detections.
"""

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..config import PARTS, LossConfig, ModelConfig
from . import boxes
from .backbones import Backbone
from .roi import ROIHead
from .rpn import RPN, box_error, box_loss, objectness_loss
from .structures import PADDING, Batch, Detections

# Mean and standard deviation of CIFAR-10's training images, by channel, for values of 0..255.
MEAN = (125.3, 123.0, 113.9)
STD = (63.0, 62.1, 66.7)


class Prediction(NamedTuple):
    """What the network predicts for a batch, before losses or decoding; None for parts that it does not have."""

    objectness: Tensor | None  # [B,N] logits
    deltas: Tensor | None  # [B,N,D]
    proposals: Tensor  # [B,P,4]
    scores: Tensor  # [B,P] in 0..1
    regions: Tensor  # [B,R,4]
    shown: Tensor  # [B,R] bool: regions that count; the rest of the proposals was suppressed
    logits: Tensor | None  # [B,R,K']
    refined: Tensor | None  # [B,R,4] deltas from the regions


class Targets(NamedTuple):
    """What the network should predict; None for parts that it does not have."""

    anchors: Tensor | None  # [B,N]: 1 object, 0 none, -1 not counted
    deltas: Tensor | None  # [B,N,D]
    classes: Tensor | None  # [B,R]: the background is K; -1 not counted
    refined: Tensor | None  # [B,R,4]


class FasterRCNN(nn.Module):
    """Images to prediction: uint8 [B,3,H,W] -> Prediction."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone)
        shape = self.backbone.channels, self.backbone.stride, config.input_size
        self.rpn = RPN(config.rpn, *shape) if config.rpn else None
        self.head = ROIHead(config.roi, self.backbone.channels, config.classes) if config.roi else None
        self.register_buffer("mean", torch.tensor(MEAN, dtype=torch.float32).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD, dtype=torch.float32).view(1, 3, 1, 1), persistent=False)
        self.float()  # whatever number format is torch's default: another library may have set it

    def forward(
        self, images: Tensor, batch: Batch | None = None, box: str = "", proposed: tuple[Tensor, Tensor] | None = None
    ) -> Prediction:
        """Images uint8 [B,3,H,W] of `input_size`. `batch`, if given, says which regions are classified in place of the
        network's proposals (training): see `training_regions` for `box`. `proposed`: boxes [B,P,4] and scores [B,P]
        that stand for its proposals there.
        """
        features = self.backbone(self.normalise(images))
        objectness, deltas, proposals, scores = self.propose(features, training=batch is not None)
        regions, shown = proposals, scores > 0
        if batch is not None:
            regions, shown = self.training_regions(*(proposed or (proposals, scores)), batch, box)
        logits, refined = self.classify(features, regions)
        return Prediction(objectness, deltas, proposals, scores, regions, shown, logits, refined)

    def normalise(self, images: Tensor) -> Tensor:
        """Images uint8 [B,3,H,W] -> float32, about -2..2, in the memory layout that is fastest for convolutions."""
        return (images - self.mean).div_(self.std).contiguous(memory_format=torch.channels_last)

    def propose(self, features: Tensor, training: bool) -> tuple[Tensor | None, Tensor | None, Tensor, Tensor]:
        """Features [B,C,h,w] -> objectness [B,N], deltas [B,N,D], proposals [B,P,4], scores [B,P]; without a proposal
        network None, None, the whole input, 1. `training`: only `RPNConfig.training_fraction` of the proposals.
        """
        if self.rpn is None:
            side = float(self.config.input_size)
            whole = torch.tensor([[0.0, 0.0, side, side]], dtype=torch.float32, device=features.device)  # [1,4]
            whole = whole.expand(features.shape[0], 1, 4)
            return None, None, whole, torch.ones_like(whole[..., 0])
        objectness, deltas = self.rpn(features)
        part = self.rpn.config.training_fraction if training else 1.0
        return objectness, deltas, *self.rpn.propose(objectness, deltas, part)

    @torch.no_grad()
    def training_proposals(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes [B,P,4] and scores [B,P] that this network proposes for the training of another one."""
        return self.propose(self.backbone(self.normalise(images)), training=True)[2:]

    def train_only(self, parts: Collection[str]) -> None:
        """Let these parts learn. The others stay as they are to the bit: no gradient, BatchNorm by its statistics."""
        for name in PARTS:
            if (part := getattr(self, name)) is not None:
                part.train(name in parts).requires_grad_(name in parts)
        self.backbone.fix_first()

    def classify(self, features: Tensor, regions: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Features [B,C,h,w] and regions [B,R,4] -> class logits [B,R,K'] and corrections of the boxes [B,R,4]."""
        if self.head is None:
            return None, None
        logits, refined = self.head(self.head.pool(features, regions, self.config.input_size))
        shape = regions.shape[:2]
        return logits.view(*shape, -1), None if refined is None else refined.view(*shape, 4)

    def training_regions(self, proposals: Tensor, scores: Tensor, batch: Batch, box: str = "") -> tuple[Tensor, Tensor]:
        """Proposals [B,P,4], scores [B,P] -> the boxes to classify in training, [B,R,4], and which count, bool [B,R].

        `box`: their kind, one of `ROIConfig.train_box`, or empty for the one that is configured.
        """
        roi = self.config.roi
        if roi is None or self.head is None or (box or roi.train_box) == "predicted":
            return proposals, scores > 0
        if (box := box or roi.train_box) == "sampled":
            regions = self.head.sample(proposals, scores, batch.boxes, batch.valid)
            return regions, torch.ones_like(regions[..., 0], dtype=torch.bool)
        counted = batch.valid | ~batch.valid.any()  # without any object, empty slots stand for the background
        if box == "truth":
            return batch.boxes, counted
        noise = torch.randn_like(batch.boxes) * roi.jitter  # [B,G,4]: t_x, t_y and one scale for both sides
        noisy = boxes.decode(noise[..., :3], batch.boxes)
        return boxes.clip(noisy, self.config.input_size, self.config.input_size), counted

    def targets(self, prediction: Prediction, batch: Batch) -> Targets:
        """What the prediction should be."""
        anchors, deltas = (None, None) if self.rpn is None else self.rpn.targets(batch)
        classes, refined = (None, None) if self.head is None else self.region_targets(prediction.regions, batch)
        if classes is not None:
            classes = classes.where(prediction.shown, PADDING)
        return Targets(anchors, deltas, classes, refined)

    def region_targets(self, regions: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """The class [B,R] and the deltas [B,R,4] that each region should get: those of the object it overlaps most.

        With a background class, that is the class of regions which overlap no object enough.
        """
        assert self.config.roi is not None, "only a network with classes has targets of regions"
        best, index = boxes.closest(regions, batch.boxes, batch.valid)  # [B,R]
        classes = batch.labels.gather(1, index)
        if self.config.roi.background:
            classes = torch.where(best < self.config.roi.positive_iou, self.config.classes, classes)
        return classes, boxes.encode(boxes.take(batch.boxes, index), regions)

    def losses(self, prediction: Prediction, targets: Targets, config: LossConfig) -> dict[str, Tensor]:
        """Of `objectness`, `box`, `classification`, `box_regression` those there are: scalars [], not weighted."""
        losses = {}
        if prediction.objectness is not None and targets.anchors is not None:
            losses["objectness"] = objectness_loss(prediction.objectness, targets.anchors)
            if prediction.deltas is not None and targets.deltas is not None:
                losses["box"] = box_loss(prediction.deltas, targets.deltas, targets.anchors)
        if prediction.logits is not None and targets.classes is not None:
            losses["classification"] = F.cross_entropy(
                prediction.logits.flatten(0, 1),
                targets.classes.flatten(),
                ignore_index=PADDING,
                label_smoothing=config.label_smoothing,
            )
            if prediction.refined is not None and targets.refined is not None:
                losses["box_regression"] = self.box_regression_loss(
                    prediction.refined, targets.refined, targets.classes
                )
        return losses

    def box_regression_loss(self, refined: Tensor, target: Tensor, classes: Tensor) -> Tensor:
        """Smooth L1 of refined and target deltas [B,R,4] in the head's unit, a mean over classes [B,R] of objects."""
        assert self.head is not None, "corrections come from the head"
        positive = (classes != PADDING) & (classes < self.config.classes)  # [B,R]
        error = box_error(refined / self.head.unit, target / self.head.unit)  # [B,R]
        return (error * positive).sum() / positive.sum().clamp(min=1)

    def detect(self, images: Tensor) -> Detections:
        """Images uint8 [B,3,H,W] -> Detections, best first. Without classes every detection has label 0."""
        return self.decode(self(images))

    def decode(self, prediction: Prediction) -> Detections:
        """A prediction whose regions are its proposals -> the best detections of each image after suppression.

        A region may be a detection of several classes; suppression is within a class (Girshick et al. 2014, section
        2.2)."""
        corners, scores = self.scored(prediction)
        classes = scores.shape[-1]
        scores, index = scores.flatten(1).topk(min(CANDIDATES * self.config.detections, scores[0].numel()), 1)
        corners, labels = boxes.take(corners, index // classes), index % classes
        return self.suppress(corners, scores, labels)

    def scored(self, prediction: Prediction) -> tuple[Tensor, Tensor]:
        """A prediction whose regions are its proposals -> the regions as the head corrects them, [B,P,4], and the score
        of each for each class, [B,P,K]: its objectness times the probability of the class."""
        corners, scores = prediction.proposals, prediction.scores[..., None]  # [B,P,4], [B,P,1]
        if prediction.logits is not None:
            scores = scores * prediction.logits.softmax(-1)[..., : self.config.classes]  # [B,P,K]
        if prediction.refined is not None:
            side = self.config.input_size
            corners = boxes.clip(boxes.decode(prediction.refined, corners), side, side)
        return corners, scores

    def suppress(self, corners: Tensor, scores: Tensor, labels: Tensor) -> Detections:
        """Suppression by class of candidates, best first: corners [B,K,4], scores and labels [B,K] -> what remains."""
        apart = labels[..., None] * (2.0 * self.config.input_size)  # boxes of two classes never overlap
        valid = scores > self.config.min_score
        kept = boxes.nms(corners + apart, valid, self.config.nms_iou)
        return Detections(corners, scores, labels).only(kept, self.config.detections)


# For each detection that is kept, so many candidates enter the last suppression.
CANDIDATES = 3


# The part of the network that each loss is about; the gradient reaches the backbone through it.
PART_OF = {"objectness": "rpn", "box": "rpn", "classification": "head", "box_regression": "head"}


def total_loss(losses: dict[str, Tensor], config: LossConfig, trained: Collection[str] = PARTS) -> Tensor:
    """The weighted sum of those `losses` (scalars, []) whose parts are `trained`, a scalar."""
    counted = {name: loss for name, loss in losses.items() if PART_OF[name] in trained}
    return torch.stack([getattr(config, name) * loss for name, loss in counted.items()]).sum()
