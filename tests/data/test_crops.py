"""Images at their own resolution: tiles and random crops of them have the right pixels and boxes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pocketrcnn.data.annotations import Annotations, Example, Object
from pocketrcnn.data.crops import MOVED, Crops
from pocketrcnn.data.dataset import Dataset, EvaluationDataset
from pocketrcnn.data.folders import Folder, open_folder
from pocketrcnn.data.images import image_cache
from pocketrcnn.data.images.letterbox import FILL
from pocketrcnn.errors import UserError
from pocketrcnn.model.structures import PADDING, Batch

SIDE, OVERLAP = 32, 16
SIZES = [(100, 70), (20, 30), (32, 90), (200, 10)]  # width, height


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Four images, whose pixels say where they are, with objects, one of them a crowd, none in the last."""
    objects = [
        [Object((2, 3, 12.5, 20), "cat"), Object((30, 30, 60, 44.25), "dog"), Object((90, 60, 100, 70), "cat")],
        [Object((1, 1, 9, 9), "dog"), Object((0, 0, 20, 30), "cat", crowd=True)],
        [Object((0, 40, 32, 62), "cat")],
        [],
    ]
    examples = []
    for number, (size, inside) in enumerate(zip(SIZES, objects, strict=True)):
        rows, columns = np.indices(size[::-1])
        pixels = np.stack((columns, rows, np.full_like(rows, number)), -1).astype(np.uint8)
        Image.fromarray(pixels).save(path := tmp_path / f"{number}.png")
        examples.append(Example(path, tuple(inside), "train", size))
    annotations = Annotations("coco", tmp_path, ("cat", "dog"), tuple(examples))
    return open_folder(annotations, "train", SIDE, tmp_path / "cache", OVERLAP)


def pixels_of(folder: Folder, image: int, origin: tuple[int, int]) -> np.ndarray:
    """A square of an image file, grey where the image ends."""
    with Image.open(folder.paths[image]) as opened:
        whole = np.asarray(opened)
    left, top = origin
    part = whole[top : top + SIDE, left : left + SIDE]
    square = np.full((SIDE, SIDE, 3), FILL, np.uint8)
    square[: part.shape[0], : part.shape[1]] = part
    return square


def visible(folder: Folder, image: int, origin: tuple[int, int]) -> list[list[float]]:
    """Boxes that should be in a square, with labels: cut, where 0.3 of the area and 2 pixels are left of an object."""
    boxes = []
    for box, label, crowd in zip(
        folder.objects[image].boxes, folder.objects[image].labels, folder.objects[image].crowd, strict=True
    ):
        moved = box - np.tile(origin, 2)
        cut = moved.clip(0, SIDE)
        sides = cut[2:] - cut[:2]
        if not crowd and sides.min() >= 2 and sides.prod() >= 0.3 * np.prod(box[2:] - box[:2]):
            boxes.append([*cut.tolist(), int(label)])
    return boxes


def rows_of(batch: Batch, row: int) -> list[list[float]]:
    """The objects of an image of a batch."""
    valid = batch.valid[row]
    return [
        [*box, label]
        for box, label in zip(batch.boxes[row][valid].tolist(), batch.labels[row][valid].tolist(), strict=True)
    ]


def test_tiles_have_the_pixels_and_boxes_of_the_image(folder: Folder) -> None:
    data: Dataset = folder
    assert isinstance(data, EvaluationDataset)
    views = folder.views_of(torch.arange(4))
    assert views.tolist() == list(range(6 * 4 + 1 + 5 + 12)), "4 images have so many tiles"
    batch = folder.batch(views)
    for row, view in enumerate(views.tolist()):
        image = folder.image_of(view)
        origin = folder.seen(image).origins[row - int(folder.first_views[image])]
        assert np.array_equal(batch.images[row].permute(1, 2, 0).numpy(), pixels_of(folder, image, origin))
        assert rows_of(batch, row) == visible(folder, image, origin)
    assert folder.views_of(torch.tensor([3, 1])).tolist() == [*range(30, 42), 24]
    assert (folder.batch(torch.tensor([24, 3])).images[1] == batch.images[3]).all()


def test_crops_have_the_pixels_and_boxes_of_the_image(folder: Folder) -> None:
    crops = Crops(folder)
    assert len(crops) == 4 * 3 + 1 + 1 * 3 + 7 * 1, "as many of each image as cover it"
    torch.manual_seed(0)
    batch = crops.batch(torch.arange(len(crops)))
    for row, path in enumerate(crops.paths):
        image = int(path.stem)
        left, top, number = batch.images[row, :, 0, 0].tolist()
        assert number == image
        assert np.array_equal(batch.images[row].permute(1, 2, 0).numpy(), pixels_of(folder, image, (left, top)))
        origin = left, top
        assert rows_of(batch, row) == visible(folder, image, origin)


def test_crops_are_a_function_of_indices_and_of_the_generator(folder: Folder) -> None:
    crops, indices = Crops(folder), torch.tensor([2, 5, 14, 0])
    batches = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        batches.append(crops.batch(indices))
    first, again, other = batches
    assert (first.images == again.images).all()
    assert (first.boxes == again.boxes).all()
    assert (first.images != other.images).any()
    torch.manual_seed(1)
    assert (crops.batch(indices[:1]).images == first.images[:1]).all()


def test_crops_are_anywhere_but_not_mostly_empty(folder: Folder) -> None:
    """Of one object in a large image, nearly every crop misses it: about half of them are moved to it, as a whole."""
    crops = Crops(folder.take([2]))
    object.__setattr__(crops.folder, "shapes", np.array([[3000, 3000]]))
    random = np.random.default_rng(0)
    origins = np.array([crops.origin(0, random.random(6)) for _ in range(2000)])
    shown = [len(crops.folder.placed(0, origin)) for origin in origins]
    assert abs(np.mean(shown) - MOVED) < 0.04
    whole = [origin for origin in origins if len(crops.folder.placed(0, origin))]
    assert np.mean([(o <= [0, 40]).all() and (o + SIDE >= [32, 62]).all() for o in whole]) > 0.95
    assert origins.min() == 0
    assert origins.max() > 2900


def test_objects_longer_than_a_crop_are_shown_from_the_inside(folder: Folder) -> None:
    crops = Crops(folder)
    draws = np.array([0.9, 0.9, 0.0, 0.4, 0.5, 0.5])  # the lower right corner would be empty: the second object
    object.__setattr__(folder, "objects", (folder.objects[0][np.array([1])], *folder.objects[1:]))
    folder.objects[0].boxes[:] = [[10, 20, 55, 30]]
    left, top = crops.origin(0, draws).tolist()
    assert left >= 10
    assert left + SIDE <= 55
    assert top <= 20
    assert top + SIDE >= 30


def test_the_cache_keeps_both_resolutions_apart(folder: Folder, tmp_path: Path) -> None:
    examples = [Example(path, (), "train", size) for path, size in zip(folder.paths, SIZES, strict=True)]
    annotations = Annotations("coco", tmp_path, ("cat",), tuple(examples))
    shrunk = open_folder(annotations, "train", SIDE, tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("*.frames"))) == 2
    assert shrunk.frames.path.stat().st_size > 4 * 3 * SIDE**2
    other = open_folder(annotations, "train", 2 * SIDE, tmp_path / "cache", OVERLAP)
    assert other.frames.path == folder.frames.path, "tiles of any side are cut from the same file"
    assert shrunk.frames.path != folder.frames.path


def test_a_broken_image_is_skipped_and_a_damaged_cache_is_named(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"no image")
    examples = [Example(path, (), "train", size) for path, size in zip(folder.paths, SIZES, strict=True)]
    opened = open_folder(
        Annotations("coco", tmp_path, ("cat",), tuple(examples)), "train", SIDE, tmp_path / "c", OVERLAP
    )
    assert [fault.file.name for fault in opened.skipped] == ["1.png"]
    assert len(opened) == 3
    third = opened.batch(opened.views_of(torch.tensor([1]))).images
    assert (third == folder.batch(folder.views_of(torch.tensor([2]))).images).all()
    whole = opened.frames.path.read_bytes()
    opened.frames.path.write_bytes(whole[:100])
    with pytest.raises(UserError, match="it is too short"):
        opened.batch(torch.tensor([20]))


def test_large_images_are_not_decoded_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = np.cumsum([0, 10, 10, 10, 200, 10, *[1] * 40])
    monkeypatch.setattr(image_cache, "CHUNK_BYTES", 100)
    chunks = list(image_cache._chunks(starts))
    assert [len(chunk) for chunk in chunks] == [3, 1, 16, 16, 9]
    assert [index for chunk in chunks for index in chunk] == list(range(45))


def test_slots_are_those_of_the_crop_and_not_of_the_image(folder: Folder) -> None:
    many = np.tile([[0.0, 0.0, 5.0, 5.0]], (500, 1))
    objects = type(folder.objects[0])(many, np.zeros(500))
    object.__setattr__(folder, "objects", (objects, *folder.objects[1:]))
    batch = folder.part([0], np.array([[60, 30]]), torch.tensor([0]))
    assert batch.labels.tolist() == [[PADDING]]
