"""What suits a data set: the input's size, the stride, the anchors, the network, and the words for it.

Covers `custom/anchors.py`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketrcnn.config import replace
from pocketrcnn.custom import plan as planning
from pocketrcnn.custom.anchors import MAX_ANCHORS, Floats, choose_anchors, fit_anchors, shape_iou, sides_and_boxes
from pocketrcnn.custom.plan import PRESETS, Plan, choose_side, plan_data, plan_length, widths, with_preset
from pocketrcnn.data.annotations import Annotations, Example, Object
from pocketrcnn.errors import UserError
from pocketrcnn.model.architectures import MERGED, scaled

Sizes = list[tuple[float, float]]


def example(size: tuple[int, int], *sides: tuple[float, float], crowd: bool = False, name: str = "cat") -> Example:
    """An image with objects of these widths and heights."""
    objects = tuple(Object((1.0, 1.0, 1 + width, 1 + height), name, crowd=crowd) for width, height in sides)
    return Example(Path("x.png"), objects, "train", size)


def annotations(*examples: Example, classes: tuple[str, ...] = ("cat",)) -> Annotations:
    return Annotations("coco", Path("animals"), classes, examples)


def plan(data: Annotations, preset: str, **options: Any) -> Plan:
    """All but the length of training."""
    return with_preset(plan_data(data, **options), preset)


def around(shape: tuple[float, float], count: int, seed: int) -> Floats:
    """Boxes that differ from a shape by a few percent."""
    return np.array(shape) * np.random.default_rng(seed).uniform(0.95, 1.05, (count, 2))


def test_clear_clusters_are_recovered_whatever_their_size() -> None:
    shapes = [(10.0, 10.0), (60.0, 20.0), (50.0, 110.0)]
    boxes = np.concatenate(
        [around(shape, count, i) for i, (shape, count) in enumerate(zip(shapes, (30, 30, 30), strict=True))]
    )
    anchors, fit = fit_anchors(boxes, 3)
    for anchor, shape in zip(anchors, shapes, strict=True):
        assert anchor == pytest.approx(shape, rel=0.03)
    assert fit > 0.94


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 5), st.integers(5, 60))
def test_anchors_do_not_depend_on_the_order_of_the_boxes(seed: int, count: int, boxes: int) -> None:
    generator = np.random.default_rng(seed)
    some = generator.uniform(4, 100, (boxes, 2))
    anchors, fit = fit_anchors(some, count)
    again, same = fit_anchors(some[generator.permutation(boxes)], count)
    assert again == anchors
    assert same == pytest.approx(fit)
    assert len(anchors) == count
    assert 0 < fit <= 1
    areas = [width * height for width, height in anchors]
    assert areas == pytest.approx(sorted(areas), rel=0.01), "small ones first, but for rounding"


def test_one_box_is_its_own_anchor() -> None:
    assert fit_anchors(np.array([[17.0, 31.0]]), 1) == (((17.0, 31.0),), 1.0)


def test_shape_iou_is_that_of_boxes_with_one_centre() -> None:
    overlaps = shape_iou(np.array([[10.0, 10], [20, 5]]), np.array([[10.0, 10], [20, 20]]))
    assert overlaps.tolist() == [[1, 0.25], [50 / 150, 0.25]]


def test_as_few_anchors_as_fit() -> None:
    anchors, words = choose_anchors(around((20, 20), 50, 0), 128)
    assert len(anchors) == 1
    assert words.startswith("anchors 20x20 px; best possible recall 100.0% at IoU 0.5, 100.0% at IoU 0.7")
    wide = np.exp(np.random.default_rng(0).uniform(1, 6, (500, 2)))
    assert len(choose_anchors(wide, 512)[0]) == MAX_ANCHORS
    assert len(choose_anchors(np.array([[4.0, 100], [100, 4]]), 128)[0]) == 2, "no more anchors than boxes"


def test_no_objects_no_fit() -> None:
    anchors, words = choose_anchors(np.zeros((0, 2)), 128)
    assert anchors == ((32.0, 32.0),)
    assert "no objects" in words


@pytest.mark.parametrize(
    ("size", "sides", "side"),
    [
        ((128, 128), [(20, 20)], 128),  # native: small objects need every pixel
        ((100, 70), [(10, 10)], 112),  # a multiple of 16
        ((32, 24), [(8, 8)], 32),  # smaller than the least side of a shrunk input: as it is
        ((16, 16), [(4, 4)], 16),
        ((1, 1), [(1, 1)], 16),
        ((480, 480), [(480, 480)], 64),  # however large the objects are, not below 64 px
        ((500, 500), [(200, 200)], 112),  # 40 px of 200 remain: 100, and a multiple of 16
        ((4000, 3000), [(1000, 1000), *[(2000, 2000)] * 99], 80),  # the smallest tenth decides, not one
        ((4000, 3000), [(100, 100)], 512),  # never larger than 512
        ((400, 300), [], 400),
        ((3000, 3000), [], 512),
    ],
)
def test_the_side_of_the_input(size: tuple[int, int], sides: Sizes, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SMALL_OBJECT", 40.0)
    assert choose_side([example(size, *sides)] * 3) == side


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.01, 1)), min_size=1, max_size=8))
def test_the_side_is_a_multiple_of_the_largest_stride_and_within_its_limits(images: list[Any]) -> None:
    side = choose_side([example((w, h), (part * w, part * h)) for w, h, part in images])
    longest = max(max(w, h) for w, h, _ in images)
    assert side % planning.STEP == 0
    assert planning.STEP <= side <= planning.LARGEST_SIDE
    assert side < longest + planning.STEP, "nothing is planned for pixels that are not there"


def test_boxes_shrink_with_their_images_and_crowds_do_not_count() -> None:
    examples = [example((400, 200), (40, 20)), example((50, 50), (5, 6)), example((50, 50), (9, 9), crowd=True)]
    assert sides_and_boxes(examples, 100).tolist() == [[10, 5], [5, 6]]
    assert sides_and_boxes([], 100).shape == (0, 2)


def test_the_plan_says_its_reasons() -> None:
    planned = plan(annotations(*[example((200, 150), (24, 18), (20, 16))] * 20), "small")
    reasons = "\n".join(planned.reasons)
    assert "input 208x208 px; the longer sides of the images are 200 to 200 px, none is resized" in reasons
    assert "stride 4: the median object is 19 px" in reasons
    assert "anchors " in reasons
    assert "small network, up to 20 detections per image" in reasons
    assert "warning" not in reasons
    assert planned == plan(annotations(*[example((200, 150), (24, 18), (20, 16))] * 20), "small")


def test_objects_that_cannot_be_learned_or_detected_are_warned_of() -> None:
    crowded = example((4096, 4096), *[(4, 40)] * 3, *[(80, 90)] * 1198)
    warnings = [line for line in plan(annotations(crowded), "small").reasons if "warning" in line]
    assert warnings == [
        "warning: 3 of 1,201 objects are less than 2 px wide or high in the input and cannot be learned; "
        "`--input-size 2048` downscales the images less, and makes training slower",
        "warning: at most 1,000 of the 1,201 objects in an image can be detected; cut the images into smaller ones",
    ]


def test_images_that_are_downscaled_are_counted() -> None:
    planned = plan(annotations(example((1000, 500), (400, 400)), *[example((60, 60), (20, 20))] * 4), "small")
    assert "the longer sides of the images are 60 to 1000 px, 1 of 5 are downscaled" in planned.reasons[0]


def test_objects_under_two_cells_are_warned_of() -> None:
    planned = plan(annotations(*[example((64, 64), (5, 5))] * 4), "small")
    wanted = "warning: the median object is smaller than two cells of 4 px; enlarge the images if you can"
    assert wanted in planned.reasons


@pytest.mark.parametrize(
    ("longest", "object_side", "given_side", "wanted"),
    [
        (2048, 16, None, 1024),  # 4 px in an input of 512: twice as large, they are two cells
        (2048, 4, None, 2048),  # never above the images themselves, for none is enlarged
        (1001, 4, None, 1008),  # a multiple of 16
        (128, 10, 64, 112),  # a side that was given
    ],
)
def test_where_the_input_made_objects_small_a_larger_one_is_named(
    longest: int, object_side: float, given_side: int | None, wanted: int
) -> None:
    examples = [example((longest, longest // 2), (object_side, object_side))] * 4
    planned = plan(annotations(*examples), "small", input_size=given_side)
    (warning,) = [line for line in planned.reasons if line.startswith("warning: the median")]
    assert f"smaller than two cells of 4 px; `--input-size {wanted}` downscales the images less" in warning
    assert "enlarge" not in warning
    again = plan(annotations(*examples), "small", input_size=wanted)
    assert wanted >= longest or not any(line.startswith("warning") for line in again.reasons), "the remedy works"


def test_large_objects_get_the_coarse_stride() -> None:
    model = plan(annotations(*[example((160, 160), (60, 60), (20, 20), (70, 70))] * 4), "large").config.model
    assert model.backbone.merge == 8
    assert model.backbone.width == 1.0


@pytest.mark.parametrize(("iterations", "mild"), [(50, True), (1490, True), (1500, False), (30_000, False)])
def test_few_epochs_change_images_less(iterations: int, mild: bool) -> None:
    before = plan(annotations(*[example((96, 96), (30, 30))] * 20), "small", rotate=True)
    after = plan_length(before, 100 * before.config.train.batch, iterations)
    assert (after.config.augment == before.config.augment) == (not mild)
    train = replace(
        before.config.train,
        iterations=iterations,
        evaluations=12,
        evaluation_images=after.config.train.evaluation_images,
    )
    assert replace(after.config, augment=before.config.augment) == replace(before.config, train=train), "nothing else"
    changed = after.config.augment
    assert (changed.zoom == (1.0, 1.0)) == mild
    assert changed.rotate, "what was given stays"
    assert changed.translate == before.config.augment.translate
    for name in ("aspect", "brightness", "contrast", "gamma", "saturation"):
        assert getattr(changed, name) <= getattr(before.config.augment, name)
    words = "position, and slightly the colour" if mild else "position, size, shape and colour"
    assert after.reasons[-1] == f"{iterations / 100:.3g} epochs; augmentation changes {words}"


@pytest.mark.parametrize(
    ("classes", "factor", "words"),
    [
        (1, 1.0, "small network, up to"),
        (4, 1.0, "small network, up to"),
        (5, 1.5, "small network, 1.5 times as wide for 5 classes, up to"),
        (10, 1.5, "small network, 1.5 times as wide for 10 classes, up to"),
    ],
)
def test_many_classes_get_a_wider_network_and_a_reason(classes: int, factor: float, words: str) -> None:
    names = tuple(f"kind{i}" for i in range(classes))
    images = [example((160, 160), (60, 60), name=name) for name in names for _ in range(2)]
    planned = plan(annotations(*images, classes=names), "small")
    assert planned.config.model.backbone.width == factor * PRESETS["small"] == widths(classes)["small"]
    assert planned.config.model.rpn.channels == scaled(MERGED, planned.config.model.backbone.width)  # type: ignore[union-attr]
    assert any(reason.startswith(words) for reason in planned.reasons)


def test_room_for_twice_the_objects_of_the_fullest_image() -> None:
    full = example((300, 300), *[(10, 10)] * 70)
    model = plan(annotations(full, example((300, 300), (9, 9))), "small").config.model
    assert model.detections == 140
    assert model.rpn is not None
    assert model.rpn.proposals >= model.detections
    thousands = example((300, 300), *[(10, 10)] * 10_000)
    assert plan(annotations(thousands), "small").config.model.detections == 1000


def test_what_is_given_wins() -> None:
    planned = plan(
        annotations(*[example((200, 200), (24, 18))] * 4), "small", anchors=((8.0, 8.0), (30.0, 20.0)), input_size=96
    )
    model = planned.config.model
    assert model.input_size == 96
    assert model.rpn is not None
    assert model.rpn.anchors == ((8.0, 8.0), (30.0, 20.0))
    assert any(line.startswith("anchors 8x8, 30x20 px; best possible recall") for line in planned.reasons)
    assert "4 of 4 are downscaled" in planned.reasons[0]


def test_a_data_set_without_any_object_has_a_plan() -> None:
    planned = plan(annotations(*[example((64, 64))] * 3), "small")
    assert planned.config.model.rpn is not None
    assert planned.config.model.rpn.anchors == ((16.0, 16.0),)
    given_anchors = plan(annotations(*[example((64, 64))] * 3), "small", anchors=((9.0, 9.0),))
    assert "anchors as given" in given_anchors.reasons


def test_the_configuration_is_that_of_the_data() -> None:
    config = plan(annotations(*[example((64, 64), (9, 9))] * 5, classes=("cat", "dog")), "medium").config
    assert (config.data.kind, config.data.source, config.data.classes) == ("folder", "animals", ("cat", "dog"))
    assert config.model.classes == 2


@settings(deadline=None)
@given(st.integers(1, 32), st.integers(1, 5000))
def test_a_batch_suits_the_memory_and_the_data(sixteens: int, images: int) -> None:
    batch = planning.choose_batch(16 * sixteens, images)
    assert 2 <= batch <= planning.MAX_BATCH
    assert batch * 2 <= max(4, images), "several iterations an epoch, where there are images for it"
    assert planning.choose_batch(16 * sixteens + 16, images) <= batch, "fewer of larger images"


def test_the_data_are_planned_once_for_every_preset() -> None:
    """What the presets have in common is decided before them: they change the width, and add one reason."""
    data = plan_data(annotations(*[example((200, 150), (24, 18))] * 20))
    for preset in PRESETS:
        planned = with_preset(data, preset)
        assert planned.reasons[:-1] == data.reasons
        width = {"model__backbone__width": PRESETS[preset], "model__rpn__channels": scaled(MERGED, PRESETS[preset])}
        assert planned.config == replace(data.config, **width)


@pytest.mark.parametrize(("minutes", "evaluations"), [(0.0, 12), (0.5, 3), (5.0, 4), (10.0, 8), (600.0, 12)])
def test_evaluations_follow_from_the_minutes(minutes: float, evaluations: int) -> None:
    train = plan_length(plan(annotations(*[example((96, 96), (30, 30))] * 20), "small"), 20, 700, minutes).config.train
    assert (train.minutes, train.iterations, train.evaluations) == (minutes, 700, evaluations)
    assert train.evaluation_images == max(50, round(0.05 * 700 * train.batch / evaluations))


def test_no_training_images_no_plan() -> None:
    with pytest.raises(UserError, match="animals has no training images: add some, or a split named `train`"):
        plan_data(annotations())
