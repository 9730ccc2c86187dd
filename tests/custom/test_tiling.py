"""Large images as tiles, from the option to the result: what is decided, trained, evaluated, predicted and exported.

Covers `data/images/views.py`.
"""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import painted
import pytest
import torch
from datasets_on_disk import coco
from PIL import Image
from runs_in_seconds import evaluation, interrupt_after, quick
from shell import Shell
from tiny_detectors import Bright, bright_detector

from pocketrcnn.config import Config, ModelConfig
from pocketrcnn.config import replace as with_settings
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx import export, runtime
from pocketrcnn.custom.options import PredictOptions, TrainOptions
from pocketrcnn.custom.plan import plan_data
from pocketrcnn.custom.predict import predict
from pocketrcnn.custom.reasons import reasons
from pocketrcnn.custom.tiling import choose_view
from pocketrcnn.custom.train import resume
from pocketrcnn.data.annotations import Annotations, Example, Object
from pocketrcnn.data.folders import open_folder
from pocketrcnn.errors import UserError
from pocketrcnn.evaluation.average_precision import average_precision
from pocketrcnn.evaluation.network import detect
from pocketrcnn.model.structures import Detections
from pocketrcnn.training.run import open_run
from pocketrcnn.training.signals import Interrupted

SIDE, OVERLAP = 64, 24


def example(size: tuple[int, int], *sides: tuple[float, float]) -> Example:
    """An image with objects of these widths and heights."""
    objects = tuple(Object((1.0, 1.0, 1 + width, 1 + height), "cat") for width, height in sides)
    return Example(Path("x.png"), objects, "train", size)


@pytest.mark.parametrize(
    ("size", "sides", "view"),
    [
        ((256, 256), [(20, 20)], (256, 0)),  # nothing is downscaled
        ((640, 480), [(15, 15)], (512, 0)),  # hardly
        ((2048, 2048), [(20, 24)], (256, 32)),
        ((2048, 2048), [(20, 24)] * 9 + [(30, 90)], (368, 104)),  # 4 times 90, and a little more than 90
        ((2048, 2048), [(20, 24)] * 9 + [(400, 90)], (512, 256)),  # at most 512, and half of it
        ((2048, 2048), [(20, 24)] * 9 + [(600, 90)], (512, 0)),  # no tile holds it
        ((2048, 2048), [(100, 100)], (512, 0)),  # 25 pixels are left: enough
        ((4000, 3000), [(1000, 1000)], (160, 0)),
        ((3000, 3000), [], (512, 0)),
    ],
)
def test_tiles_are_chosen_by_the_sizes_in_the_data(
    size: tuple[int, int], sides: list[tuple[float, float]], view: tuple[int, int]
) -> None:
    examples = [example(size, *sides)] * 3
    assert choose_view(examples) == view
    assert choose_view(examples, "off") == (view[0] if not view[1] else 512, 0)
    assert choose_view(examples, input_size=128) == (128, 0), "as asked"


def test_a_side_that_was_asked_for() -> None:
    examples = [example((100, 100), (20, 30))] * 3
    assert choose_view(examples, 48) == (48, 24), "half of it"
    assert choose_view(examples, 128, 128) == (128, 40)
    assert choose_view([example((100, 100))], 32) == (32, 8)
    with pytest.raises(
        UserError, match=r"--tiles 16: an object in x.png is 30 px long: use --tiles 32 or more, or --ti"
    ):
        choose_view(examples, 16)
    with pytest.raises(UserError, match="--tiles 64 and --input-size 128 are two sides of the input: leave one out"):
        choose_view(examples, 64, 128)


@pytest.mark.parametrize("tiles", ["on", "12.5", "", "-16", "0", "250", "100000", "9" * 5000])
def test_impossible_tiles_are_refused_in_one_line(tiles: str, tmp_path: Path, shell: Shell) -> None:
    told = shell("train", tmp_path, f"--tiles={tiles}")
    assert told.code == 2
    assert told.err.startswith("pocketrcnn: --tiles ")
    assert told.err.count("\n") == 1
    assert len(told.err) < 200


def test_python_is_told_the_same(tmp_path: Path) -> None:
    assert TrainOptions(tmp_path, tiles=256).call.endswith("tiles=256)")
    for wrong in (100, 2.5, "on"):
        with pytest.raises(UserError, match="--tiles"):
            TrainOptions(tmp_path, tiles=wrong)  # type: ignore[arg-type]


def test_an_overlap_of_more_than_half_is_no_configuration() -> None:
    with pytest.raises(UserError, match=r"data\.tile_overlap is 40: use at most half of model\.input_size, 64"):
        with_settings(Config(model=ModelConfig(input_size=64)), data__tile_overlap=40)


def test_the_plan_of_tiles_is_of_objects_at_their_own_size_and_says_why() -> None:
    many = example((2048, 1000), *[(20, 24)] * 30)
    spread = replace(
        many, objects=tuple(replace(o, box=(60.0 * i, 500, 60.0 * i + 20, 524)) for i, o in enumerate(many.objects))
    )
    data = Annotations("coco", Path("cells"), ("cat",), (spread,) * 3)
    config = plan_data(data)
    assert (config.model.input_size, config.data.tile_overlap) == (256, 32)
    assert config.model.detections == 20, "twice the objects of the fullest tile, and not of the image"
    assert config.model.rpn is not None
    assert config.model.rpn.anchors == ((20.0, 24.0),)
    assert config.train.batch == 16, "an image of 32 crops is enough for it"
    said = reasons(config, data, 96)
    assert said[0] == (
        "tiles of 256x256 px that overlap by 32, the longest object is 24 px long; the longer sides of the images are "
        "2048 px, 3 of 3 are larger than a tile; with `--tiles off`, in an input of 512 px, small objects have "
        "5.48 px (21.9 in the images)"
    )
    assert "small network, up to 20 detections per tile" in [one.replace("large", "small") for one in said]
    assert not any("warning" in one for one in said)
    shrunk = reasons(plan_data(data, tiles="off"), data, 3)
    assert shrunk[0].endswith("small objects have 5.48 px (21.9 in the images); `--tiles 256` keeps their resolution")
    assert any(one.startswith("warning: the median object") and "`--tiles 256`" in one for one in shrunk)


class Network(Bright):
    """The same as part of a data set's evaluation."""

    rpn = None
    training = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def decode(self, images: torch.Tensor) -> Detections:
        return self.detect(images)


class Session:
    """The same as an exported file."""

    def run(self, _names: object, inputs: dict[str, np.ndarray], _options: object) -> list[np.ndarray]:
        found = Bright(SIDE, 0.75).detect(torch.from_numpy(inputs["images"]).permute(0, 3, 1, 2))
        return [values.numpy() for values in (found.boxes, found.scores, found.labels)]


PLACES = [(2, 2, 20, 18), (55, 50, 70, 61), (110, 3, 122, 27), (30, 120, 54, 140), (120, 122, 145, 149), (5, 66, 8, 70)]


def painted_image(width: int = 150, height: int = 150) -> np.ndarray:
    """A black image with white objects, no two of which are in one tile as far as a tile shows them whole."""
    image = np.zeros((height, width, 3), np.uint8)
    for x1, y1, x2, y2 in PLACES:
        image[y1:y2, x1:x2] = 255
    return image


class Apart(Network):
    """Finds every connected part of what is bright, as it is seen."""

    def detect(self, images: torch.Tensor) -> Detections:
        corners, labels = torch.zeros(len(images), 9, 4), torch.full((len(images), 9), -1)
        self.batches.append(len(images))
        for row, image in enumerate(images):
            left = image[0].numpy() > 200
            for slot in range(9):
                if not left.any():
                    break
                y, x = np.argwhere(left)[0]
                y2 = y + int(np.argmin(np.append(left[y:, x], False)))
                x2 = x + int(np.argmin(np.append(left[y, x:], False)))
                left[y:y2, x:x2] = False
                corners[row, slot], labels[row, slot] = torch.tensor([x, y, x2, y2]), 1
        return Detections(corners, (labels >= 0) * self.score, labels)

    def __init__(self) -> None:
        super().__init__(SIDE, 0.75)
        self.batches: list[int] = []


class ApartSession(Session):
    """The same as an exported file."""

    def run(self, _names: object, inputs: dict[str, np.ndarray], _options: object) -> list[np.ndarray]:
        found = Apart().detect(torch.from_numpy(inputs["images"]).permute(0, 3, 1, 2))
        return [values.numpy() for values in (found.boxes, found.scores, found.labels)]


def boxes_of(found: object) -> list[tuple[float, ...]]:
    """In their order."""
    return sorted(tuple(box) for box in found.boxes.tolist())  # type: ignore[attr-defined]


def test_detectors_and_evaluation_find_the_same_in_a_large_image(tmp_path: Path) -> None:
    """Every object once, however many tiles show it, whole or in parts; small images beside it as ever."""
    small = painted_image()[:30, :40]
    images, expected = [painted_image(), small], [sorted(PLACES), [PLACES[0]]]
    detector = Detector(Apart(), ("cat", "dog"), overlap=OVERLAP)  # type: ignore[arg-type]
    exported = runtime.Detector(ApartSession(), ("cat", "dog"), 0.5, SIDE, overlap=OVERLAP)
    for batch in (1, 3, 100):
        for one in (detector(images, batch=batch), exported(images, batch=batch)):
            assert [boxes_of(one[i]) for i in range(2)] == expected
            assert one[0].labels.tolist() == [1] * len(PLACES)
        assert max(detector.model.batches) <= batch  # type: ignore[operator, arg-type]
        detector.model.batches.clear()  # type: ignore[operator, union-attr]
    objects = [tuple(Object(tuple(map(float, box)), "dog") for box in boxes) for boxes in expected]
    examples = []
    for number, image in enumerate(images):
        Image.fromarray(image).save(path := tmp_path / f"{number}.png")
        examples.append(Example(path, objects[number], "val", (image.shape[1], image.shape[0])))
    annotations = Annotations("coco", tmp_path, ("cat", "dog"), tuple(examples))
    data = open_folder(annotations, "val", SIDE, tmp_path / "cache", OVERLAP)
    ground_truth, detections = detect(Apart(), data)  # type: ignore[arg-type]
    assert [boxes_of(one) for one in detections] == expected
    assert average_precision(ground_truth, detections, 2)["AP"] == 1
    shrunk = open_folder(annotations, "val", SIDE, tmp_path / "cache")
    assert average_precision(*detect(Apart(), shrunk), 2)["AP"] != 1  # type: ignore[arg-type]


def test_the_exported_file_says_that_it_is_for_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older versions read schema 1 alone, so that they refuse what they would do wrong."""
    monkeypatch.setattr(export, "onnx_model", lambda *_: onnx.ModelProto())
    for overlap, schema in ((0, 1), (OVERLAP, 2)):
        detector = replace(bright_detector(SIDE), overlap=overlap)
        model = onnx.load_model_from_string(export.onnx_file(detector))
        metadata = json.loads(model.metadata_props[0].value)
        assert metadata["schema"] == schema
        assert metadata.get("tiles") == ({"overlap": overlap} if overlap else None)
        session = SimpleNamespace(
            get_modelmeta=lambda text=model.metadata_props[0].value: SimpleNamespace(
                custom_metadata_map={"pocketrcnn": text}
            )
        )
        assert runtime.overlap_of(runtime.metadata_of(session, "file")) == overlap
    for tiles in ({"overlap": 33}, {"overlap": 0}, {"overlap": "8"}, {}, 8, None):
        text = json.dumps(metadata | {"tiles": tiles})
        session = SimpleNamespace(
            get_modelmeta=lambda text=text: SimpleNamespace(custom_metadata_map={"pocketrcnn": text})
        )
        with pytest.raises(UserError, match="file is damaged"):
            runtime.metadata_of(session, "file")


@pytest.fixture(scope="module")
def mosaics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of 3 x 2 painted pictures, for training and validation."""
    root = tmp_path_factory.mktemp("mosaics")
    generator = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        scenes = {}
        for number in range(count):
            objects = [
                (name, tuple(value + 48 * (column, row)[i % 2] for i, value in enumerate(box)))
                for column in range(3)
                for row in range(2)
                for name, box in painted.scene(generator, 2)
            ]
            scenes[f"{split} {number}.png"] = ((144, 96), objects)
        coco(root / split, scenes)
        for name, (_, objects) in scenes.items():
            image = Image.new("RGB", (144, 96), (120, 120, 120))
            for kind, box in objects:
                image.paste(painted.COLOURS[kind], tuple(map(int, box)))
            image.save(root / split / name)
    return root


@pytest.mark.slow
def test_a_run_with_tiles_from_training_to_prediction(mosaics: Path, tmp_path: Path, shell: Shell) -> None:
    given = ("--iterations", 2, "--batch", 4, "--preset", "small", "--device", "cpu", "--out", tmp_path / "run")
    told = shell("train", mosaics, "--tiles", 48, "--set", "model.min_score=0.0", *given)
    assert told.code == 0
    assert "tiles of 48x48 px that overlap by 24, the longest object is 20 px long" in told.out
    assert "up to 20 detections per tile" in told.out
    config = open_run(tmp_path / "run", "cpu").config
    assert (config.model.input_size, config.data.tile_overlap) == (48, 24)
    assert evaluation(tmp_path / "run", "val")["counts"]["images"] == 2, "AP is on whole images"
    assert "train images" not in told.err
    detector = Detector.load(tmp_path / "run")
    assert (detector.side, detector.overlap) == (48, 24)
    told = shell("predict", tmp_path / "run", mosaics / "val", "--out", tmp_path / "found", "--threshold", 0)
    assert "2 images in tiles of 48 px: boxes are in pixels of the file" in told.out
    boxes = np.array([row["bbox"] for row in json.loads((tmp_path / "found" / "predictions.json").read_text())])
    assert (boxes[:, 0] + boxes[:, 2]).max() > 100, "to the right end"
    assert shell("eval", tmp_path / "run", "--split", "val").code == 0
    again = shell("train", mosaics, "--tiles", "off", "--set", "model.min_score=0.0", *given)
    assert again.code == 2


@pytest.mark.slow
def test_an_interrupted_run_with_tiles_ends_in_the_same_bytes(
    mosaics: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"tiles": 48, "input_size": None, "batch": 4}
    whole = quick(mosaics, tmp_path / "whole", 4, **options)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(Interrupted):
            quick(mosaics, tmp_path / "parts", 4, **options)
    parts = resume(tmp_path / "parts", None, None, "cpu")
    for name in ("weights.safetensors", "log.jsonl"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_check_names_the_option(tmp_path: Path, shell: Shell) -> None:
    data = coco(tmp_path / "data", {"a.png": ((900, 900), [("cat", (4.0, 8.0, 14.0, 20.0))])})
    told = shell("check", data)
    assert "`train`: tiles of 256x256 px that overlap by 24" in told.out
    large = coco(
        tmp_path / "large", {"a.png": ((900, 900), [("cat", (4.0, 8.0, 14.0, 20.0)), ("cat", (0.0, 0.0, 800.0, 20.0))])}
    )
    assert "does not fit into 512 px" in shell("check", large).out
    small = coco(tmp_path / "small", {"a.png": ((90, 90), [("cat", (4.0, 8.0, 14.0, 20.0))])})
    assert "`train`: " not in shell("check", small).out


class SlowAtTheSecond:
    """A detector of large images that is interrupted in the tiles of the second one."""

    classes, side, overlap, pages = ("cat",), 16, 8, "first"

    def __call__(self, images: list[np.ndarray], threshold: float | None, batch: int) -> Detections:
        if images[0][0, 0, 0] == 1:
            signal.raise_signal(signal.SIGINT)
            pytest.fail("it went on with the tiles")
        none = torch.zeros(len(images), 0)
        return Detections(torch.zeros(len(images), 0, 4), none, none.long())


def test_an_interruption_does_not_wait_for_the_tiles_of_an_image(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(np.full((40, 40, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
    options = PredictOptions(out=tmp_path / "out", batch=1)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="after 1 of 3 images, whose results are in"):
        predict(SlowAtTheSecond(), [tmp_path / f"{number}.png" for number in range(3)], options)  # type: ignore[arg-type]
    assert len((tmp_path / "out" / "counts.csv").read_text().splitlines()) == 2
    assert json.loads((tmp_path / "out" / "predictions.json").read_text()) == []
    assert signal.getsignal(signal.SIGINT) is before
