"""The region proposal network: where may an object be, and how large is it? (Ren et al. 2015, section 3.1)

Legend: B images, h and w the sides of the feature map, A anchors a cell, N = h*w*A, D box parameters, P proposals,
G objects an image.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..config import RPNConfig
from . import boxes
from .layers import conv_norm
from .structures import Batch

POSITIVE_FRACTION = 0.5  # of the sampled anchors, at most (Ren et al. 2015, section 3.1.3)


class RPN(nn.Module):
    """A 3x3 convolution on the features, then objectness and box parameters for every anchor."""

    anchors: Tensor

    def __init__(self, config: RPNConfig, in_channels: int, stride: int, input_size: int) -> None:
        super().__init__()
        self.config, self.input_size = config, input_size
        per_cell = len(config.anchors)
        self.intermediate = conv_norm(in_channels, config.channels, 3)
        self.objectness = nn.Conv2d(config.channels, per_cell, 1)
        self.box = nn.Conv2d(config.channels, per_cell * config.box_dims, 1) if config.box_dims else None
        self.cells = input_size // stride
        grid = boxes.anchors(self.cells, self.cells, stride, config.anchors)
        self.register_buffer("anchors", grid.flatten(0, 2), persistent=False)  # [N,4]
        self.initialise()

    def initialise(self) -> None:
        """Small weights, objectness at its prior, boxes at their anchors (or, in pixels, in the middle)."""
        nn.init.normal_(self.objectness.weight, std=0.01)
        prior = math.log(self.config.prior / (1 - self.config.prior))
        nn.init.constant_(self.objectness.bias, prior)  # type: ignore[arg-type]
        if self.box is None:
            return
        nn.init.normal_(self.box.weight, std=0.01)
        middle, dims = self.input_size / 2, self.config.box_dims
        start = {"deltas": [0.0] * 4, "pixels": [middle, middle, *self.config.anchors[0]]}
        bias = torch.tensor(start[self.config.output][:dims]).repeat(self.box.out_channels // dims)
        with torch.no_grad():
            self.box.bias.copy_(bias)  # type: ignore[union-attr]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """Features [B,C,h,w] -> objectness logits [B,N], deltas [B,N,D] (None without regression)."""
        x = F.relu_(self.intermediate(features))
        objectness = self.objectness(x).permute(0, 2, 3, 1).flatten(1).float()  # [B,N]
        return objectness, None if self.box is None else self.deltas(self.box(x).float())

    def deltas(self, raw: Tensor) -> Tensor:
        """The output of the box convolution [B,A*D,h,w] as deltas [B,N,D]."""
        raw = raw.permute(0, 2, 3, 1).reshape(raw.shape[0], len(self.anchors), self.config.box_dims)
        if self.config.output == "deltas":
            return raw
        x, y, side, other = (raw[..., i] for i in (0, 1, 2, self.config.box_dims - 1))
        return boxes.encode(boxes.from_center_size(x, y, side, other), self.anchors)[..., : self.config.box_dims]

    def propose(self, objectness: Tensor, deltas: Tensor | None, fraction: float = 1.0) -> tuple[Tensor, Tensor]:
        """Objectness [B,N], deltas [B,N,D] -> the best proposals inside the input, boxes [B,P,4], scores [B,P] in 0..1.

        No gradient goes through them. Where fewer than P are left after non-maximum suppression, the rest has score 0.
        `fraction`: of the configured candidates (before suppression) and proposals (after it)."""
        config, count = self.config, len(self.anchors)
        candidates, proposals = (min(math.ceil(n * fraction), count) for n in (config.candidates, config.proposals))
        proposed, logits, _ = self.candidates(objectness, deltas, candidates)
        kept = boxes.nms(proposed, torch.ones_like(logits, dtype=torch.bool), config.nms_iou)
        scores, index = (logits.sigmoid() * kept).topk(proposals, 1)  # [B,P]
        return boxes.take(proposed, index), scores

    def candidates(self, objectness: Tensor, deltas: Tensor | None, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """The `count` anchors of highest objectness [B,N], moved by their deltas [B,N,D], which enter suppression, best
        first: boxes [B,count,4] inside the input, logits and anchors' indices [B,count]."""
        logits, index = objectness.detach().topk(count, 1)
        proposed = self.anchors[index]  # [B,count,4]
        if deltas is not None:
            chosen = deltas.detach().gather(1, index[..., None].expand(-1, -1, deltas.shape[-1]))
            proposed = boxes.decode(chosen, proposed)
        return boxes.clip(proposed, self.input_size, self.input_size), logits, index

    def targets(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What the anchors should predict: labels [B,N] (1, 0, or -1 for ignored) and deltas [B,N,D]."""
        limits = self.config.positive_iou, self.config.negative_iou
        grid = self.anchors.view(self.cells, self.cells, -1, 4)
        labels, index = boxes.match(grid, batch.boxes, batch.valid, *limits)
        deltas = boxes.encode(boxes.take(batch.boxes, index), self.anchors)[..., : self.config.box_dims]
        if self.config.sample:
            labels = boxes.sample(labels, self.config.sample, POSITIVE_FRACTION)
        return labels, deltas


def objectness_loss(objectness: Tensor, labels: Tensor) -> Tensor:
    """Sigmoid cross entropy of objectness [B,N], a mean without ignored labels [B,N] (Ren et al. 2015, equation 1)."""
    counted = labels != boxes.IGNORED  # [B,N]
    loss = F.binary_cross_entropy_with_logits(objectness, labels.clamp(min=0).float(), reduction="none")
    return (loss * counted).sum() / counted.sum().clamp(min=1)


def box_error(deltas: Tensor, targets: Tensor) -> Tensor:
    """Smooth L1 of each anchor, summed over the box parameters: deltas and targets [B,N,D] -> [B,N]."""
    return F.smooth_l1_loss(deltas, targets, reduction="none").sum(-1)


def box_loss(deltas: Tensor, targets: Tensor, labels: Tensor) -> Tensor:
    """`box_error` of deltas and targets [B,N,D], a mean over positive labels [B,N] (Girshick 2015, equation 3)."""
    positive = labels == boxes.POSITIVE  # [B,N]
    return (box_error(deltas, targets) * positive).sum() / positive.sum().clamp(min=1)
