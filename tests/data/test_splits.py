"""Splits for data that have none: seeded, stratified, the same whatever order the files come in."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketrcnn.data import splits
from pocketrcnn.data.annotations import Annotations, Example, Object
from pocketrcnn.data.splits import with_splits


def data(counts: list[dict[str, int]], splits: list[str] | None = None) -> Annotations:
    """Images with this many objects of each class."""
    examples = []
    for i, image in enumerate(counts):
        objects = tuple(Object((0, 0, 1, 1), name) for name, count in image.items() for _ in range(count))
        examples.append(Example(Path("images") / f"{i:05}.png", objects, splits[i] if splits else ""))
    classes = sorted({name for image in counts for name in image})
    return Annotations("coco", Path("images"), tuple(classes), tuple(examples))


def sizes(annotations: Annotations) -> tuple[int, ...]:
    return tuple(len(annotations.split(split)) for split in ("train", "val", "test"))


def objects_of(annotations: Annotations, split: str) -> Counter[str]:
    return Counter(obj.name for example in annotations.split(split) for obj in example.objects)


def test_images_and_objects_are_divided_in_proportion() -> None:
    """Dense images are not all in one part, nor are images without objects."""
    annotations = with_splits(data([{"cell": i % 20} for i in range(200)] + [{}] * 100 + [{"rare": 1}] * 20))
    assert sizes(annotations) == (224, 48, 48)
    whole = objects_of(annotations, "train") + objects_of(annotations, "val") + objects_of(annotations, "test")
    for split, share in (("train", 0.7), ("val", 0.15), ("test", 0.15)):
        assert objects_of(annotations, split)["cell"] == pytest.approx(share * whole["cell"], rel=0.05)
        assert objects_of(annotations, split)["rare"] == pytest.approx(share * 20, abs=1)
        assert sum(not example.objects for example in annotations.split(split)) == pytest.approx(share * 110, abs=2)


def test_rare_classes_are_learned_before_they_are_evaluated() -> None:
    """Of one example, training has it; of three, every part has one."""
    annotations = with_splits(data([{"common": 2}] * 37 + [{"single": 1}] + [{"triple": 1}] * 3))
    assert objects_of(annotations, "train")["single"] == 1
    assert [objects_of(annotations, split)["triple"] for split in ("train", "val", "test")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, (1, 0, 0)), (2, (1, 1, 0)), (3, (1, 1, 1)), (4, (2, 1, 1)), (10, (6, 2, 2)), (20, (14, 3, 3))],
)
def test_few_images(count: int, expected: tuple[int, int, int]) -> None:
    assert sizes(with_splits(data([{"cat": 1}] * count))) == expected


def test_the_order_of_files_does_not_matter_and_the_seed_does() -> None:
    annotations = data([{"cat": i % 3, "dog": i % 2} for i in range(40)])
    backwards = replace(annotations, examples=annotations.examples[::-1])

    def split_of(annotations: Annotations) -> dict[Path, str]:
        return {example.path: example.split for example in annotations.examples}

    assert split_of(with_splits(annotations)) == split_of(with_splits(backwards))
    assert split_of(with_splits(annotations, seed=1)) != split_of(with_splits(annotations))
    assert [example.path for example in with_splits(backwards).examples] == [e.path for e in backwards.examples]


def test_copies_stay_together_and_count_once() -> None:
    """Seen in the raccoon data: one of two equal files was used for training, the other chose the best weights."""
    annotations = data([{"cat": 1}] * 40, ["train"] * 30 + ["test"] * 10)
    twice = replace(
        annotations, examples=tuple(replace(e, digest=str(i % 20)) for i, e in enumerate(annotations.examples))
    )
    for seed in range(5):
        divided = with_splits(twice, seed)
        assert sorted({e.digest for e in divided.split("train")} & {e.digest for e in divided.split("val")}) == []
        assert len({e.digest for e in divided.split("val")}) == 3  # 15 % of 20 images
        assert [e.path for e in divided.split("test")] == [e.path for e in annotations.split("test")]
        backwards = with_splits(replace(twice, examples=twice.examples[::-1]), seed)
        assert {e.path: e.split for e in backwards.examples} == {e.path: e.split for e in divided.examples}


def test_validation_comes_out_of_training_and_test_is_never_touched() -> None:
    annotations = data([{"cat": 1, "dog": i % 2} for i in range(120)], ["train"] * 100 + ["test"] * 20)
    divided = with_splits(annotations)
    assert sizes(divided) == (85, 15, 20)
    assert divided.split("test") == annotations.split("test")
    assert objects_of(divided, "val") == {"cat": 15, "dog": pytest.approx(7.5, abs=0.5)}
    assert sizes(with_splits(data([{"cat": 1}] * 2, ["train"] * 2))) == (1, 1, 0)
    assert sizes(with_splits(data([{"cat": 1}], ["train"]))) == (1, 0, 0)


@pytest.mark.parametrize("splits", [["val", "val", "test"], ["train", "val", "val"], ["test"] * 3])
def test_what_has_splits_keeps_them(splits: list[str]) -> None:
    annotations = data([{"cat": 1}] * 3, splits)
    assert with_splits(annotations) is annotations


def test_other_fractions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "FRACTIONS", (0.8, 0.2, 0.0))
    assert sizes(with_splits(data([{"cat": 1}] * 10))) == (8, 2, 0)


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 4), max_size=3), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_every_image_is_in_one_part(counts: list[dict[str, int]], seed: int) -> None:
    annotations = data(counts)
    divided = with_splits(annotations, seed)
    assert [replace(example, split="") for example in divided.examples] == list(annotations.examples)
    assert sum(sizes(divided)) == len(counts)
    assert sizes(divided)[0] >= 1
    assert min(sizes(divided)) >= (len(counts) >= 3)


def test_nothing_gives_nothing() -> None:
    assert with_splits(data([])).examples == ()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 5))
def test_where_there_is_an_object_training_has_one(counts: list[int], seed: int) -> None:
    """Of three images, one without objects, training got that one: there was nothing to learn."""
    annotations = with_splits(data([{"cat": count} for count in counts]), seed)
    assert sum(objects_of(annotations, "train").values()) > 0 or not any(counts)
