"""Multiplications and parameters: the published numbers, the corrected one, and every other network of the project."""

import json

import pytest

from pocketrcnn.course.experiments import NETWORKS
from pocketrcnn.errors import UserError
from pocketrcnn.model import costs

PUBLISHED = {
    "convnet": (2_264_362, 46_497_792, [2_457_600, 13_107_200, 13_107_200, 13_107_200, 4_718_592]),
    "mobilenet": (1_235_995, 6_824_960, [175_104, 729_088, 626_688, 575_488, 4_718_592]),
    "resnet": (2_403_082, 59_179_008, [10_420_224, 14_680_064, 14_680_064, 14_680_064, 4_718_592]),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_base_networks_cost_what_the_course_page_says(name: str) -> None:
    counts = costs.summary(name, NETWORKS[name])
    parameters, multiplications, stages = PUBLISHED[name]
    assert counts["parameters"] == parameters
    assert counts["multiplications"] == multiplications
    assert list(counts["stages"].values()) == stages


def test_the_detector_counts_every_convolution() -> None:
    counts = costs.summary("detector", NETWORKS["detector"])
    assert counts["stages"]["conv1"] == 5 * 5 * 3 * 32 * 48 * 48
    assert counts["stages"]["conv4"] == 3 * 3 * 128 * 256 * 6 * 6
    assert counts["stages"]["rpn.intermediate.0"] == 3 * 3 * 256 * 256 * 6 * 6
    assert counts["stages"]["rpn.box"] == 256 * 3 * 6 * 6
    assert counts["stages"]["head.hidden"] == 4 * 4 * 256 * 256
    assert counts["multiplications_linear"] == 256 * 10


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("side", [32, 64, 96])
def test_every_network_can_be_counted_at_other_sizes(name: str, side: int) -> None:
    counts = costs.summary(name, costs.with_size(NETWORKS[name], side))
    first = next(row for row in counts["layers"] if row["name"].startswith("conv1"))
    assert first["output"] == (side, side)
    assert sum(counts["stages"].values()) == counts["multiplications"]
    json.dumps(counts)


def test_an_image_smaller_than_a_cell_is_refused() -> None:
    with pytest.raises(UserError, match=r"--input-size 16.*at least 32"):
        costs.with_size(NETWORKS["convnet"], 16)
