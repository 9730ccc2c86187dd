"""What `results.json` says of finished runs."""

import pytest

from pocketrcnn.config import DataConfig
from pocketrcnn.course.results import comparable


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (DataConfig("cifar10"), True),
        (DataConfig("cifar10", "scenes"), True),
        (DataConfig("cifar10+cifar100:there", "scenes"), True),
        (DataConfig("sample"), False),
        (DataConfig("sample+cifar100:there", "scenes"), False),
        (DataConfig("scenes of mine", "scenes"), False),
    ],
)
def test_only_results_on_cifar10_stand_beside_the_report(data: DataConfig, wanted: bool) -> None:
    assert comparable(data) == wanted


def test_results_on_a_holdout_are_for_choosing_settings() -> None:
    assert not comparable(DataConfig("cifar10", holdout=3))
