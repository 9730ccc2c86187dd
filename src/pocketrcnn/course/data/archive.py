"""Transformed CIFAR-10 as a folder: the fixed scenes of seed 0 with their masks, as the course's archive had them."""

from pathlib import Path

import torch
from torch import Tensor

from ...config import DataConfig, RPNConfig
from ...model import boxes
from .course_layout import write_course_layout
from .datasets import open_dataset
from .scenes import FRAME

STRIDE = 8  # pixels a cell, that of Table 2's network
MASK_IGNORED = 2  # the value of ignored cells in a mask


def write_scenes(out: Path, source: str) -> int:
    """Write the fixed training and test scenes of `source` to the folder `out`; returns the number of scenes.

    `source`: `cifar10` or `sample`, with or without the backgrounds of CIFAR-100 (see `with_backgrounds`).
    Raises UserError when `out` holds something or the data are not there.
    """
    config = DataConfig(source, "scenes", fresh=False)
    train, test = open_dataset(config, "train"), open_dataset(config, "test")
    write_course_layout(out, train, test, cell_labels)
    return len(train) + len(test)


def cell_labels(objects: Tensor) -> Tensor:
    """What each cell's anchor stands for, 1 object, 0 background, 2 ignored: boxes [N,4] -> int64 [N,6,6].

    By the thresholds of `RPNConfig`; the best anchor of an object is always positive (Ren et al. 2015, 3.1.2).
    """
    config, cells = RPNConfig(), FRAME // STRIDE
    anchors = boxes.anchors(cells, cells, STRIDE, config.anchors)  # [6,6,1,4]
    valid = torch.ones(len(objects), 1, dtype=torch.bool)
    labels, _ = boxes.match(anchors, objects[:, None], valid, config.positive_iou, config.negative_iou)  # [N,36]
    return labels.masked_fill(labels == boxes.IGNORED, MASK_IGNORED).view(-1, cells, cells)
