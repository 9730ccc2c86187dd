"""The detector: backbone, region proposals, regions of interest, classes. Every network of the project is one of these.

A classifier has no proposals (its one box is the frame), a proposal network has no classes; both are configurations.
Prediction, loss and decoding are three functions, so that a validation loss costs nothing.
Legend: B images, N anchors, D box parameters, P proposals an image, G objects an image, K classes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import boxes
from .backbones import Backbone
from .config import LossConfig, ModelConfig
from .roi import ROIHead
from .rpn import RPN, box_loss, objectness_loss
from .structures import PADDING, Batch, Detections

# Mean and standard deviation of CIFAR-10's training images, by channel, for values of 0..255.
MEAN = (125.3, 123.0, 113.9)
STD = (63.0, 62.1, 66.7)


class Prediction(NamedTuple):
    """What the network says of a batch, before losses or decoding; None for parts that it does not have."""

    objectness: Tensor | None  # [B,N] logits
    deltas: Tensor | None  # [B,N,D]
    proposals: Tensor  # [B,P,4]
    scores: Tensor  # [B,P] in 0..1
    logits: Tensor | None  # [B,P,K]


class Detector(nn.Module):
    """Images to prediction: uint8 [B,3,H,W] -> Prediction."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone)
        shape = self.backbone.channels, self.backbone.stride, config.image
        self.rpn = RPN(config.rpn, *shape) if config.rpn else None
        self.head = ROIHead(config.roi, self.backbone.channels, config.classes) if config.roi else None
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor, rois: Tensor | None = None) -> Prediction:
        """`rois` [B,P,4], if given, are classified in place of the network's own proposals (training)."""
        features = self.backbone(self.normalise(images))
        objectness, deltas, proposals, scores = self.propose(features)
        logits = self.classify(features, proposals if rois is None else rois)
        return Prediction(objectness, deltas, proposals, scores, logits)

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 of 0..255 to about -2..2, in the memory layout that convolutions like best."""
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def propose(self, features: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor, Tensor]:
        """Objectness, deltas, proposals and their scores; without a proposal network the frame, with score 1."""
        if self.rpn is None:
            side = float(self.config.image)
            frame = torch.tensor([0.0, 0.0, side, side], device=features.device).expand(len(features), 1, 4)
            return None, None, frame, torch.ones(len(features), 1, device=features.device)
        objectness, deltas = self.rpn(features)
        return objectness, deltas, *self.rpn.propose(objectness, deltas)

    def classify(self, features: Tensor, rois: Tensor) -> Tensor | None:
        """Class logits of the regions, [B,P,K]."""
        if self.head is None:
            return None
        logits: Tensor = self.head(self.head.pool(features, rois, self.config.image))
        return logits.view(len(features), -1, self.config.classes)

    def training_rois(self, batch: Batch) -> Tensor | None:
        """The boxes to classify in training, [B,G,4]; None for the network's own proposals."""
        roi = self.config.roi
        if roi is None or roi.train_box == "predicted":
            return None
        if roi.train_box == "truth":
            return batch.boxes
        noise = torch.randn_like(batch.boxes) * roi.jitter  # [B,G,4]: t_x, t_y and one scale for both sides
        return boxes.clip(boxes.decode(noise[..., :3], batch.boxes), self.config.image, self.config.image)

    def losses(self, prediction: Prediction, batch: Batch, config: LossConfig) -> dict[str, Tensor]:
        """The losses by name, not weighted: `objectness`, `box`, `object`, as far as the network has the part."""
        found = {}
        if self.rpn is not None and prediction.objectness is not None:
            labels, targets = self.rpn.targets(batch)
            found["objectness"] = objectness_loss(prediction.objectness, labels)
            if prediction.deltas is not None:
                found["box"] = box_loss(prediction.deltas, targets, labels)
        if prediction.logits is not None:
            found["object"] = F.cross_entropy(
                prediction.logits.flatten(0, 1),
                self.roi_labels(prediction, batch).flatten(),
                ignore_index=PADDING,
                label_smoothing=config.label_smoothing,
            )
        return found

    def roi_labels(self, prediction: Prediction, batch: Batch) -> Tensor:
        """The class that each region should get, [B,P]: that of the object it overlaps most."""
        assert prediction.logits is not None, "only a network with classes has labels of regions"
        if prediction.logits.shape[1] == batch.labels.shape[1] == 1:
            return batch.labels  # one region, one object: no choice
        overlaps = boxes.iou(prediction.proposals, batch.boxes).masked_fill(~batch.valid[:, None], -1)  # [B,P,G]
        return batch.labels.gather(1, overlaps.argmax(-1))

    def detect(self, images: Tensor) -> Detections:
        """Images uint8 [B,3,H,W] -> Detections, best first. Without classes every detection has label 0."""
        prediction = self(images)
        scores, labels = prediction.scores, torch.zeros_like(prediction.scores, dtype=torch.int64)  # [B,P]
        if prediction.logits is not None:
            confidence, labels = prediction.logits.softmax(-1).max(-1)
            scores = scores * confidence
        order = scores.argsort(1, descending=True)  # [B,P]
        found = prediction.proposals.gather(1, order[..., None].expand(-1, -1, 4))
        return Detections(found, scores.gather(1, order), labels.gather(1, order))


def total_loss(losses: dict[str, Tensor], config: LossConfig) -> Tensor:
    """The weighted sum of the losses."""
    return torch.stack([getattr(config, name) * loss for name, loss in losses.items()]).sum()
