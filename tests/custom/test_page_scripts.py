"""What the scripts of a page compute, in Chromium and without ONNX Runtime, against Pillow, numpy and `predict`."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
from numpy.typing import NDArray
from odd_images import PNG_START, chunk, png
from PIL import Image

from pocketrcnn.custom.counts import count
from pocketrcnn.custom.page.export import PAGE, WORKER, scripts, settings
from pocketrcnn.custom.result_files import result_files
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.images.heads import PIXEL_LIMIT
from pocketrcnn.data.images.letterbox import letterbox, scale_of, to_image
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.data.images.tiles import origins_of, put_together
from pocketrcnn.errors import UserError
from pocketrcnn.model.interchange import Detections

pytestmark = chromium.MARKS

Run = Callable[..., Any]
RANDOM = np.random.default_rng(7)
METADATA = {"classes": ["cat", "dog"], "threshold": 0.5, "side": 64}
TO_BASE64 = "const b64 = (x) => btoa(Array.from(x, (v) => String.fromCharCode(v)).join(''));\n"
FROM_BASE64 = "const bytes = (t) => Uint8Array.from(atob(t), (l) => l.charCodeAt(0));\n"
READ = """
const file = new File([bytes(args[0])], args[1]);
try { const { pixels, width, height } = await readImage(file, args[2]); return [b64(pixels), width, height]; }
catch (error) { return error instanceof Refusal ? error.message : `no refusal: ${error}`; }
"""
NOTES = READ.replace("{ pixels, width, height }", "{ notes }").replace("[b64(pixels), width, height]", "notes")
RESIZE = "const { input, scales } = letterbox({ pixels: bytes(args[0]), width: args[1], height: args[2] }, args[3]);"
SHADES = RANDOM.integers(0, 256, (13, 21, 4), np.uint8)


@pytest.fixture(scope="module")
def run(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A function that runs JavaScript among the scripts of the page, but for those that start it."""
    names = [name for name in (*WORKER, *PAGE) if name not in ("worker", "app", "controls")]
    page = tmp_path_factory.mktemp("scripts") / "scripts.html"
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8><script>{scripts(names)}</script>", encoding="utf-8")

    def answer(code: str, *args: Any) -> Any:
        if browser.current_url != page.as_uri():
            chromium.open_page(browser, page)
        wrapped = f"const [done, args] = [arguments[1], arguments[0]];\n{TO_BASE64}{FROM_BASE64}"
        body = f"(async () => {{ {code} }})().then(done, (error) => done(`${{error}}`));"
        return browser.execute_async_script(wrapped + body, args)

    return answer


def text_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def in_browser(run: Run, content: bytes, name: str = "a.png") -> NDArray[np.uint8]:
    """An image file as the page reads it."""
    found = run(READ, text_of(content), name, settings(METADATA, ()))
    assert isinstance(found, list), found
    pixels, width, height = found
    return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 3)


def saved(mode: str, values: NDArray[Any] = SHADES, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values[..., : len(mode)].squeeze()).convert(mode).save(file, kind, **options)
    return file.getvalue()


def interlaced(values: NDArray[np.uint8], depth: int, colour: int) -> bytes:
    """Values [H,W,C] of so many bits as an interlaced PNG (Adam7), whose filters change from row to row."""
    height, width = values.shape[:2]
    rows = b""
    for left, top, right, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)):
        rows += packed_rows(values[top::down, left::right], depth)
    rows += packed_rows(values[1::2], depth)
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, colour, 0, 0, 1))
    palette = chunk(b"PLTE", bytes(range(48))) if colour == 3 else b""
    return PNG_START + head + palette + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def packed_rows(values: NDArray[np.uint8], depth: int) -> bytes:
    if values.size == 0:
        return b""
    bits = np.unpackbits(values.reshape(len(values), -1, 1), axis=2)[..., 8 - depth :].reshape(len(values), -1)
    rows = np.packbits(bits, axis=1)
    up = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))  # filter 2
    return b"".join(bytes([2 * (i % 2)]) + (up if i % 2 else rows)[i].tobytes() for i in range(len(rows)))


DEEP = {
    "grey": RANDOM.integers(0, 65536, (20, 30), np.uint16),
    "grey of 12 bits": RANDOM.integers(300, 4096, (20, 30), np.uint16),
    "grey of one value": np.full((5, 5), 700, np.uint16),
    "grey of two values": np.array([[700] * 999 + [701]], np.uint16),
    "grey and alpha": RANDOM.integers(0, 4096, (20, 30, 2), np.uint16),
    "colours": RANDOM.integers(0, 65536, (20, 30, 3), np.uint16),
    "colours of 10 bits": RANDOM.integers(0, 1024, (20, 30, 3), np.uint16),
    "colours and alpha": RANDOM.integers(0, 65536, (20, 30, 4), np.uint16),
    "dark colours and alpha": np.dstack([RANDOM.integers(0, n, (9, 9, 3), np.uint16) for n in (4096, 65536)])[..., :4],
}
TURNED = {value: Image.Exif() for value in range(1, 9)}
for value, exif in TURNED.items():
    exif[0x0112] = value
XMP = b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta><rdf:Description tiff:Orientation='6'/></x:xmpmeta>".replace(b"'", b'"')
FILES = {
    **{mode: saved(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")},
    "P with transparency": saved("P", transparency=3),
    "L with transparency": saved("L", transparency=int(SHADES[2, 2, 0])),
    "RGB with transparency": saved("RGB", transparency=tuple(SHADES[3, 3, :3].tolist())),
    **{f"P of {bits} bits": saved("P", SHADES // 128, bits=bits) for bits in (1, 2, 4)},
    **{name: png(values) for name, values in DEEP.items()},
    **{f"turned {value}": saved("RGB", exif=exif) for value, exif in TURNED.items()},
    "turned, late": png(SHADES[..., :3], after=chunk(b"eXIf", TURNED[6].tobytes()[6:])),
    "turned by XMP": png(SHADES[..., :3], chunk(b"iTXt", XMP)),
    "deep and turned": png(DEEP["colours of 10 bits"], chunk(b"eXIf", TURNED[8].tobytes()[6:])),
    "interlaced RGB": interlaced(SHADES[..., :3], 8, 2),
    "interlaced, 1 pixel": interlaced(SHADES[:1, :1, :1], 8, 0),
    **{f"interlaced grey of {bits} bits": interlaced(SHADES[..., :1] >> (8 - bits), bits, 0) for bits in (1, 2, 4)},
    "interlaced palette": interlaced(SHADES[..., :1] >> 4, 4, 3),
    "bytes behind": saved("RGB") + b"more",
}


JPEG = saved("RGB", kind="JPEG")


@pytest.mark.parametrize("name", FILES)
def test_a_png_is_read_as_predict_reads_it(run: Run, name: str) -> None:
    assert np.array_equal(in_browser(run, FILES[name]), read_image(FILES[name]))


def smooth(width: int = 60, height: int = 40) -> NDArray[np.uint8]:
    """Colours that change slowly, as those of photographs do."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 4, y * 6, (x + y) * 2], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    ("kind", "options", "most"),
    [
        ("JPEG", {"quality": 90}, 3),
        ("JPEG", {"quality": 90, "progressive": True, "subsampling": 0}, 3),
        *(("JPEG", {"quality": 95, "exif": TURNED[value]}, 3) for value in (3, 6)),
        ("WEBP", {"lossless": True}, 0),
        ("BMP", {}, 0),
        ("GIF", {}, 0),
    ],
)
def test_other_formats_are_read_nearly_so(run: Run, kind: str, options: dict[str, Any], most: int) -> None:
    """Decoders of JPEG differ in how they round: by so many grey levels at most, and by less than one in the mean."""
    file = io.BytesIO()
    Image.fromarray(smooth()).save(file, kind, **options)
    ours, theirs = in_browser(run, file.getvalue(), "a.jpg"), read_image(file.getvalue())
    assert ours.shape == theirs.shape
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.max() <= most
    assert apart.mean() < 1


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("colours", [2, 200])
def test_of_several_frames_the_first_is_read_or_none(run: Run, kind: str, colours: int) -> None:
    """With a note, as `predict` has it; a detector that was trained on all frames refuses such a file."""
    frames = [Image.fromarray(SHADES[..., :3] // (one + 1)).quantize(colours).convert("RGB") for one in range(3)]
    for number, answers in ((1, ([], [], [])), (3, ("the first is read", "reads the maximum", "reads each"))):
        file = io.BytesIO()
        options = {"lossless": True} if kind == "WEBP" else {}
        frames[0].save(file, kind, save_all=number > 1, append_images=frames[1:number], **options)
        for pages, wanted in zip(("first", "max", "all"), answers, strict=True):
            known = settings(METADATA | {"pages": pages}, ())
            notes = run(NOTES, text_of(file.getvalue()), f"a.{kind.lower()}", known)
            assert notes == wanted if isinstance(wanted, list) else wanted in "".join(notes)


def test_the_image_of_an_animation_can_be_no_frame_of_it(run: Run) -> None:
    file, frame = io.BytesIO(), Image.fromarray(SHADES[..., :3])
    frame.save(file, "PNG", save_all=True, default_image=True, append_images=[frame.rotate(180)])
    assert Image.open(file).n_frames == 2  # type: ignore[attr-defined]
    assert run("return isMoving(bytes(args[0]))", text_of(file.getvalue()))


def test_a_transparent_webp_is_laid_over_black(run: Run) -> None:
    file = io.BytesIO()
    Image.fromarray(np.dstack([smooth(), np.tile(np.uint8([0, 99, 200, 255]), (40, 15))])).save(
        file, "WEBP", lossless=True, exact=True
    )
    apart = np.abs(in_browser(run, file.getvalue()).astype(int) - read_image(file.getvalue()))
    assert apart.max() <= 1, "the browser multiplies colours by alpha, and rounds in its own way"


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return PNG_START + chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, colour, 0, 0, 0))


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.png", "is empty: replace or remove it"),
        (FILES["RGB"][:200], "a.png", "is a damaged PNG that cannot be decoded"),
        (FILES["RGB"][:60], "a.png", "is a damaged PNG that cannot be decoded"),
        (header(3, 3, 5), "a.png", "is a damaged PNG that cannot be decoded"),
        (header(0, 3), "a.png", "is a damaged PNG that cannot be decoded"),
        (
            header(20_000, 10_000),
            "a.png",
            f"has 20,000 x 10,000 pixels, more than the limit of {PIXEL_LIMIT:,}: downscale",
        ),
        (JPEG[: len(JPEG) // 2], "a.jpg", "is damaged, or of a kind that this browser does not read"),
        (b"\xff\xd8\xff nothing", "a.jpg", "is damaged, or of a kind that this browser does not read"),
        (b"II*\0 a TIFF", "a.tif", "is a TIFF, which browsers do not read: save it as PNG"),
        (b"\0\0\0\x18ftypisom", "a.png", "is a video, which is not read: save its frames as images"),
        (b"\0\0\0\x18ftypheic", "a.jpg", "is a HEIC photograph, which is not read: save it as JPEG"),
        (b"\x93NUMPY", "a.npy", "is a file of arrays, which is not read: save each as PNG"),
        (b"bytes", "a.czi", "is a file of a microscope, which is not read: export its images"),
        (b"bytes", "a.txt", "is not an image that a browser reads: convert it to PNG or JPEG, or remove it"),
    ],
)
def test_what_is_not_read_is_refused_with_the_remedy(run: Run, content: bytes, name: str, words: str) -> None:
    assert run(READ, text_of(content), name, settings(METADATA, ())).startswith(words)


@pytest.mark.parametrize(
    ("width", "height", "side"),
    [
        (64, 64, 64),
        (20, 33, 64),
        (65, 64, 64),
        (100, 70, 64),
        (127, 301, 64),
        (500, 333, 64),
        (1000, 3, 32),
        (419, 640, 48),
    ],
)
def test_images_are_made_smaller_as_pillow_does_it(run: Run, width: int, height: int, side: int) -> None:
    image = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    image[: height // 2] = 255 * (image[: height // 2] > 127)  # the extremes, too
    code = f"{RESIZE} return [b64(input), scales];"
    found, scales = run(code, text_of(image.tobytes()), width, height, side)
    expected, theirs = letterbox(image, side)
    apart = np.abs(np.frombuffer(base64.b64decode(found), np.uint8).reshape(side, side, 3).astype(int) - expected)
    assert apart.max() <= (height > 1.5 * width), "of tall images Pillow from 13 on filters the columns first"
    assert tuple(scales) == theirs


def test_boxes_go_back_into_the_image_as_those_of_predict(run: Run) -> None:
    boxes = RANDOM.uniform(-9, 73, (50, 4)).astype(np.float32)
    labels = RANDOM.integers(0, 2, 50)
    scales, size = scale_of(301, 127, 64), (301, 127)
    expected = to_image(Boxes(boxes, labels, np.float32(RANDOM.uniform(size=50))), scales, size)
    given = {"boxes": boxes.ravel().tolist(), "scores": [0.5] * 50, "labels": labels.tolist()}
    found = run("return toImage(...args)", given | {"labels": [*given["labels"][:49], -1]}, scales, size, (0, 0))
    kept = expected if (boxes[49, 2:] <= boxes[49, :2]).any() else expected[np.arange(len(expected)) < len(found)]
    assert [one["box"] for one in found] == kept.boxes.tolist()
    assert [one["label"] for one in found] == kept.labels.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_detections_of_tiles_become_those_of_the_image(run: Run, seed: int) -> None:
    """Boxes of whole pixels, so that many touch borders of tiles and each other, and equal scores."""
    random = np.random.default_rng(seed)
    size, side, overlap = (150, 100), 64, 24
    origins = origins_of(size, side, overlap)
    found = []
    for origin in origins:
        corners = random.integers(0, side + 1, (9, 2, 2))
        boxes = np.concatenate([corners.min(1), corners.max(1) + 1], axis=1).astype(np.float32)
        inside = to_image(
            Boxes(boxes, random.integers(0, 2, 9), -np.sort(-random.integers(1, 9, 9) / 8)), (1, 1), size, origin
        )
        found.append(inside)
    given = [as_objects(one.boxes.tolist(), one.scores.tolist(), one.labels.tolist()) for one in found]
    tiles, ours = run(
        "return [originsOf(...args[0]), putTogether(...args[1])]", [size, side, overlap], [given, origins, side, size]
    )
    expected = put_together(found, origins, side, size)
    assert [tuple(origin) for origin in tiles] == list(origins)
    assert ours == as_objects(expected.boxes.tolist(), expected.scores.tolist(), expected.labels.tolist())


def as_objects(boxes: list[Any], scores: list[float], labels: list[int]) -> list[dict[str, Any]]:
    """Detections as the page has them."""
    return [{"box": b, "score": s, "label": c} for b, s, c in zip(boxes, scores, labels, strict=True)]


def some_boxes(count_: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Boxes on eighths of a pixel, where rounding to two digits often meets a half; scores; labels."""
    random = np.random.default_rng(seed)
    corners = random.integers(0, 480, (count_, 2, 2)) / 8
    boxes = np.concatenate([corners.min(1), corners.max(1) + 0.125], axis=1).astype(np.float32)
    return boxes, -np.sort(-random.uniform(0.02, 1, count_)).astype(np.float32), random.integers(0, 2, count_)


@pytest.mark.parametrize("number", [0, 1, 2, 60])
def test_counts_and_tables_are_those_of_predict(run: Run, number: int, tmp_path: Path) -> None:
    boxes, scores, labels = some_boxes(number, seed=number)
    classes, name, size = ["=cat, a", 'dog "b"'], "-a, b.png", (64, 61)
    with result_files(tmp_path, classes, None) as files:
        kept = scores >= 0.5
        files.add(name, size, Detections(boxes[kept], scores[kept], labels[kept]), 1, [1, 2])
    code = "const [results, choice, classes] = args; return [csv(rowsOfImages(...args)), csv(rowsOfObjects(...args))];"
    found = as_objects(boxes.tolist(), scores.tolist(), labels.tolist())
    result = {"name": name, "width": size[0], "height": size[1], "found": found}
    tables = run(code, [result], {"threshold": 0.5, "classes": [True, True]}, classes)
    assert tables[0] == (tmp_path / "counts.csv").read_bytes().decode()
    assert tables[1] == (tmp_path / "predictions.csv").read_bytes().decode()


def test_the_union_of_boxes(run: Run) -> None:
    boxes, _, labels = some_boxes(40, seed=3)
    assert run("return covered(args[0])", boxes.tolist()) == pytest.approx(count(boxes, labels, "ab").covered)


def test_a_class_that_is_left_out_is_not_counted(run: Run) -> None:
    found = [{"box": [0, 0, 8, 8], "score": 0.9, "label": label} for label in (0, 1, 1)]
    code = "return chosen({ found: args[0] }, { threshold: 0.5, classes: [true, false] }).length"
    assert run(code, found) == 1


def test_pictures_in_one_file(run: Run) -> None:
    import zipfile

    files = {"ёжик.png": b"first", "b.png": bytes(range(256)) * 40}
    code = "const zip = new Zip(); for (const [name, text] of args[0]) zip.add(name, bytes(text));"
    code += "return b64(new Uint8Array(await zip.finished().arrayBuffer()));"
    packed = run(code, [(name, text_of(content)) for name, content in files.items()])
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_every_kind_of_file_has_its_sentence() -> None:
    foreign = json.loads(json.dumps(settings(METADATA, ())))["foreign"]
    assert foreign["endings"][".mp4"] == foreign["video"]
    with pytest.raises(UserError, match="is a video, which is not read"):
        read_image(b"\0\0\0\x18ftypisom")
