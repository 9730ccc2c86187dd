"""What suits a data set: the input's size, the stride, the anchors, the network, and the words for it.

Covers `custom/reasons.py`.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketrcnn.config import AugmentConfig, Config, replace
from pocketrcnn.custom import plan as planning
from pocketrcnn.custom import tiling
from pocketrcnn.custom.plan import PRESETS, learned_classes, plan_data, plan_length, widths, with_preset
from pocketrcnn.custom.reasons import changes, length_reason, reasons
from pocketrcnn.custom.tiling import choose_side
from pocketrcnn.data.annotations import Annotations, Example, Object
from pocketrcnn.errors import UserError
from pocketrcnn.model.architectures import MERGED, scaled
from pocketrcnn.training import config_file

Sizes = list[tuple[float, float]]


def example(size: tuple[int, int], *sides: tuple[float, float], crowd: bool = False, name: str = "cat") -> Example:
    """An image with objects of these widths and heights."""
    objects = tuple(Object((1.0, 1.0, 1 + width, 1 + height), name, crowd=crowd) for width, height in sides)
    return Example(Path("x.png"), objects, "train", size)


def annotations(*examples: Example, classes: tuple[str, ...] = ("cat",)) -> Annotations:
    return Annotations("coco", Path("animals"), classes, examples)


def plan(data: Annotations, preset: str, **options: Any) -> Config:
    """All but the length of training."""
    return with_preset(plan_data(data, **options), preset, learned_classes(data))


def said(data: Annotations, preset: str = "small", **options: Any) -> list[str]:
    """What is printed of a plan, but for its length."""
    return reasons(plan(data, preset, **options), data, len(data.examples))[:-2]


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
    monkeypatch.setattr(tiling, "SMALL_OBJECT", 40.0)
    assert choose_side([example(size, *sides)] * 3) == side


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.01, 1)), min_size=1, max_size=8))
def test_the_side_is_a_multiple_of_the_largest_stride_and_within_its_limits(images: list[Any]) -> None:
    side = choose_side([example((w, h), (part * w, part * h)) for w, h, part in images])
    longest = max(max(w, h) for w, h, _ in images)
    assert side % tiling.STEP == 0
    assert tiling.STEP <= side <= tiling.LARGEST_SIDE
    assert side < longest + tiling.STEP, "nothing is planned for pixels that are not there"


def test_the_plan_says_its_reasons() -> None:
    data = annotations(*[example((200, 150), (24, 18), (20, 16))] * 20)
    lines = "\n".join(said(data))
    assert "input 208x208 px; the longer sides of the images are 200 px, none is resized" in lines
    assert "stride 4: the median object is 19 px" in lines
    assert "anchors " in lines
    assert "small network, up to 20 detections per image" in lines
    assert "warning" not in lines
    assert plan(data, "small") == plan(data, "small")


def test_objects_that_cannot_be_learned_or_detected_are_warned_of() -> None:
    crowded = example((4096, 4096), *[(4, 40)] * 3, *[(80, 90)] * 1198)
    warnings = [line for line in said(annotations(crowded), tiles="off") if "warning" in line]
    assert warnings == [
        "warning: 3 of 1,201 objects are less than 2 px wide or high in the input and cannot be learned; "
        "`--input-size 2048` downscales the images less, and makes training slower, `--tiles 368` keeps their "
        "resolution",
        "warning: at most 1,000 of the 1,201 objects in an image can be detected; `--tiles 368` looks at a part at a "
        "time",
    ]


def test_images_that_are_downscaled_are_counted() -> None:
    lines = said(annotations(example((1000, 500), (400, 400)), *[example((60, 60), (20, 20))] * 4))
    assert "the longer sides of the images are 60 to 1000 px, 1 of 5 are downscaled" in lines[0]


def test_objects_under_two_cells_are_warned_of() -> None:
    wanted = "warning: the median object is smaller than two cells of 4 px; enlarge the images if you can"
    assert wanted in said(annotations(*[example((64, 64), (5, 5))] * 4))


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
    lines = said(annotations(*examples), input_size=given_side, tiles="off")
    (warning,) = [line for line in lines if line.startswith("warning: the median")]
    assert f"smaller than two cells of 4 px; `--input-size {wanted}` downscales the images less" in warning
    assert "enlarge" not in warning
    again = said(annotations(*examples), input_size=wanted, tiles="off")
    assert wanted >= longest or not any(line.startswith("warning") for line in again), "the remedy works"


def test_large_objects_get_the_coarse_stride() -> None:
    model = plan(annotations(*[example((160, 160), (60, 60), (20, 20), (70, 70))] * 4), "large").model
    assert model.backbone.merge == 8
    assert model.backbone.width == 1.0


@pytest.mark.parametrize(("iterations", "mild"), [(50, True), (1490, True), (1500, False), (30_000, False)])
def test_few_epochs_change_images_less(iterations: int, mild: bool) -> None:
    before = plan(annotations(*[example((96, 96), (30, 30))] * 20), "small", rotate=True)
    after = plan_length(before, 100 * before.train.batch, iterations)
    assert (after.augment == before.augment) == (not mild)
    train = replace(
        before.train,
        iterations=iterations,
        evaluations=12,
        evaluation_images=after.train.evaluation_images,
    )
    assert replace(after, augment=before.augment) == replace(before, train=train), "nothing else"
    changed = after.augment
    assert (changed.zoom == (1.0, 1.0)) == mild
    assert changed.rotate, "what was given stays"
    assert changed.translate == before.augment.translate
    for name in ("aspect", "brightness", "contrast", "gamma", "saturation"):
        assert getattr(changed, name) <= getattr(before.augment, name)
    words = (
        "position, and slightly the colour" if mild else "position and colour, and size and shape in 50 % of the images"
    )
    expected = f"{iterations / 100:.3g} epochs; augmentation changes {words}"
    assert length_reason(after, 100 * before.train.batch) == expected


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
    data = annotations(*images, classes=names)
    model = plan(data, "small").model
    assert model.backbone.width == factor * PRESETS["small"] == widths(classes)["small"]
    assert model.rpn is not None
    assert model.rpn.channels == scaled(MERGED, model.backbone.width)
    assert any(reason.startswith(words) for reason in said(data))


@pytest.mark.parametrize("preset", list(PRESETS))
def test_classes_that_training_has_no_objects_of_do_not_widen_the_network(preset: str) -> None:
    """A list of 17 names, of which two were used, gave `large network, 1.5 times as wide for 17 classes`."""
    images = [example((160, 160), (60, 60), name=name) for name in ("cat", "dog")] * 2
    others = tuple(f"sample {i}" for i in range(15))
    crowd = example((160, 160), (60, 60), crowd=True, name="sample 1")
    validation = replace(example((160, 160), (60, 60), name="sample 2"), split="val")
    data = annotations(*images, crowd, validation, classes=("cat", "dog", *others))
    config = plan(data, preset)
    assert learned_classes(data) == 2
    assert config.model.backbone.width == PRESETS[preset]
    assert (config.model.classes, config.data.classes) == (17, data.classes), "the names stay"
    assert f"{preset} network, up to 20 detections per image" in said(data, preset)


def test_room_for_twice_the_objects_of_the_fullest_image() -> None:
    full = example((300, 300), *[(10, 10)] * 70)
    model = plan(annotations(full, example((300, 300), (9, 9))), "small").model
    assert model.detections == 140
    assert model.rpn is not None
    assert model.rpn.proposals >= model.detections
    thousands = example((300, 300), *[(10, 10)] * 10_000)
    assert plan(annotations(thousands), "small").model.detections == 1000


def test_what_is_given_wins() -> None:
    data, given_anchors = annotations(*[example((200, 200), (24, 18))] * 4), ((8.0, 8.0), (30.0, 20.0))
    model = plan(data, "small", anchors=given_anchors, input_size=96).model
    lines = said(data, anchors=given_anchors, input_size=96)
    assert model.input_size == 96
    assert model.rpn is not None
    assert model.rpn.anchors == ((8.0, 8.0), (30.0, 20.0))
    assert any(line.startswith("anchors 8x8, 30x20 px; best possible recall") for line in lines)
    assert "4 of 4 are downscaled" in lines[0]


def test_a_data_set_without_any_object_has_a_plan() -> None:
    model = plan(annotations(*[example((64, 64))] * 3), "small").model
    assert model.rpn is not None
    assert model.rpn.anchors == ((16.0, 16.0),)


def test_the_configuration_is_that_of_the_data() -> None:
    config = plan(annotations(*[example((64, 64), (9, 9))] * 5, classes=("cat", "dog")), "medium")
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
    images = annotations(*[example((200, 150), (24, 18))] * 20)
    data = plan_data(images)
    lines = {preset: said(images, preset) for preset in PRESETS}
    for preset in PRESETS:
        width = {"model__backbone__width": PRESETS[preset], "model__rpn__channels": scaled(MERGED, PRESETS[preset])}
        assert with_preset(data, preset, 1) == replace(data, **width)
        assert lines[preset][:-1] == lines["large"][:-1]


@pytest.mark.parametrize(("minutes", "evaluations"), [(0.0, 12), (0.5, 3), (5.0, 4), (10.0, 8), (600.0, 12)])
def test_evaluations_follow_from_the_minutes(minutes: float, evaluations: int) -> None:
    train = plan_length(plan(annotations(*[example((96, 96), (30, 30))] * 20), "small"), 20, 700, minutes).train
    assert (train.minutes, train.iterations, train.evaluations) == (minutes, 700, evaluations)
    assert train.evaluation_images == max(50, round(0.05 * 700 * train.batch / evaluations))


def test_no_training_images_no_plan() -> None:
    with pytest.raises(UserError, match="animals has no training images: add some, or a split named `train`"):
        plan_data(annotations())


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("model.backbone.merge=4", "stride 4: the median object is 60 px"),
        ("model.backbone.merge=0", "stride 16: the median object is 60 px"),
        ("model.backbone.table=1", "stride 8: the median object is 60 px"),
        ("model.rpn.anchors=[[9, 9], [60, 60]]", "anchors 9x9, 60x60 px; best possible recall 100.0% at IoU 0.5"),
        ("model.backbone.width=0.75", "medium network, up to 20 detections per image"),
        ("model.backbone.width=0.6", "network of 0.6 times the channels of Table 3, up to 20 detections per image"),
        ("model.detections=7", "small network, up to 7 detections per image"),
        ("model.detections=1", "warning: at most 1 of the 2 objects in an image can be detected"),
        ("augment.zoom=[0.5, 2]", "7 epochs; augmentation changes position and size, and slightly the colour"),
    ],
)
def test_what_is_said_is_what_is_trained(setting: str, line: str) -> None:
    """`stride 8` was said of a network of stride 4: the lines were those of the plan, before `--set`."""
    data = annotations(*[example((160, 160), (60, 60), (60, 60))] * 4)
    planned = plan_length(plan(data, "small", batch=4, input_size=160), 4, 7)
    config = config_file.override(planned, (setting,))
    assert [one for one in reasons(config, data, 4, " in 5 min") if one.startswith(line)]
    assert "7 iterations of 4 images in 5 min" in reasons(config, data, 4, " in 5 min")


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        (AugmentConfig(), "nothing"),
        (AugmentConfig(shift=2), "position"),
        (AugmentConfig(aspect=0.1, invert=0.5), "shape and colour"),
        (AugmentConfig(brightness=0.1), "slightly the colour"),
        (AugmentConfig(zoom=(0.5, 1.0), brightness=0.1), "size, and slightly the colour"),
        (AugmentConfig(brightness=0.1, grey=0.1), "colour"),
        (AugmentConfig(zoom=(0.5, 1.0), zoomed=0.25), "size in 25 % of the images"),
        (AugmentConfig(zoom=(0.5, 1.0), zoomed=0.0, shift=1), "position"),
        (AugmentConfig(zoomed=0.5, shift=1, brightness=0.1), "position, and slightly the colour"),
        (
            AugmentConfig(zoom=(0.5, 1.0), aspect=0.1, zoomed=0.5, shift=1, brightness=0.1),
            "position, slightly the colour, and size and shape in 50 % of the images",
        ),
    ],
)
def test_changes_in_words(augment: AugmentConfig, words: str) -> None:
    assert changes(augment) == words
