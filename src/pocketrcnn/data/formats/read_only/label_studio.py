"""Label Studio's own JSON: tasks with annotations, or the short form (JSON-MIN). No torch here.

Rectangles (also turned ones, with the box around them), polygons and ellipses, in percent of the image's sides. Of
several annotations of a task the one marked as ground truth is read, else the newest; cancelled ones are not, nor are
predictions. A task that is not annotated is not in the data; one whose annotation is empty is an image without objects.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....errors import shown
from ...annotations import Annotations, Box, Example, Object, printable
from ..finding import beside, plain, size_from, used_classes
from ..reading import Reading
from ..recognition import Rule
from .records import (
    Format,
    Unclear,
    around,
    attempt,
    ellipse,
    in_pixels,
    left_out,
    load,
    named,
    note_left_out,
    number,
    numbers,
    pairs,
    turned,
)

Record = dict[str, Any]
LABELS = ("rectanglelabels", "polygonlabels", "ellipselabels", "labels", "brushlabels", "keypointlabels")
REGIONS = ("rectangle", "polygon", "ellipse", "brush", "keypoint", "bitmask", "vector")  # types, `labels` cut off
OF_ANNOTATOR = "are of other annotations of the same image: the ground truth or the newest one is read"


def looks_like_label_studio(_: Path, start: str) -> bool:
    """Whether a JSON file is a list of tasks, or of images with labels."""
    tasks = '"data"' in start and any(word in start for word in ('"annotations"', '"completions"', '"result"'))
    regions = any(f'"{word}"' in start for word in (*LABELS, "original_width", "was_cancelled"))
    return start.lstrip().startswith(("[", "{")) and regions and (tasks or '"annotator"' in start)


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all files, as they are."""
    images = reading.images()
    given = [one for source in sources for one in examples_of(source, reading)]
    placed = images.placed(reading.in_splits(given), beside)
    examples = [in_pixels(one, 100) for one in placed]  # percent
    return reading.annotations("label-studio", used_classes(examples), examples, images)


def examples_of(source: Path, reading: Reading) -> Iterator[Example]:
    """The images of a file, with paths as it has them, and boxes in percent."""
    others = predicted = unfinished = 0
    for position, task in enumerate(load(source, reading, list), 1):
        if not isinstance(task, dict):
            reading.fault("unreadable", source, f"task {position}", f"`{shown(task)}` is no task")
            continue
        where = f"task {shown(task.get('id', position))}"
        chosen, left = annotation_of(task)
        others += left
        predicted += sum(len(regions(one.get("result"))) for one in records(task.get("predictions")))
        unfinished += chosen is None
        name = image_of(task)
        if not name:
            reading.fault("unreadable", source, where, f"names no image: {left_out(regions(chosen))}")
        elif chosen is not None:
            yield example(name, chosen, source, where, reading)
    note_left_out(others, OF_ANNOTATOR, source, reading)
    note_left_out(predicted, "are predictions", source, reading)
    if unfinished:
        reason = f"{unfinished} of its tasks are not annotated or were cancelled: their images are left out"
        reading.fault("not-annotated", source, "", reason, drops=False)


def records(value: object) -> list[Record]:
    """The objects in a list, where it is one."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def annotation_of(task: Record) -> tuple[Any, int]:
    """The result that is read of a task, None where it has none, and how many objects of other annotations are not."""
    for field in ("annotations", "completions"):  # versions before 1.0 called them so
        if field in task:
            every = records(task[field])
            sound = [one for one in every if not one.get("was_cancelled") and not one.get("skipped")]
            best = max(sound, key=lambda one: (one.get("ground_truth") is True, when(one)), default=None)
            return best and best.get("result", []), sum(
                len(regions(one.get("result"))) for one in every if one is not best
            )
    short = [one for result in task.values() if any(map(has_place, records(result))) for one in result]
    return short if short or "annotator" in task else None, 0


def when(annotation: Record) -> tuple[str, float]:
    """When an annotation was changed, for comparing."""
    number_of = annotation.get("id")
    changed = annotation.get("updated_at") or annotation.get("created_at")
    return str(changed or ""), float(number_of) if isinstance(number_of, int) else 0.0


def regions(result: object) -> list[object]:
    """What a result has that should be objects: all but choices, texts, relations and the like, and the classes of
    regions that are items of their own."""
    every = result if isinstance(result, list) else []
    drawn = {str(one.get("id")) for one in records(every) if kind_of(one) in REGIONS}
    return [
        one
        for one in every
        if not isinstance(one, dict)
        or (is_region(one) and not (one.get("type") == "labels" and str(one.get("id")) in drawn))
    ]


def kind_of(item: Record) -> str:
    """`rectangle`, `polygon`, .. for the item of a region; empty where nothing says so."""
    kind = item.get("type")
    return kind.removesuffix("labels") if isinstance(kind, str) else ""


def is_region(item: Record) -> bool:
    """Whether an item of a result should be a region: by its type, or by its coordinates. Without a type it should."""
    empty = item.get("type") != "relation" and not isinstance(item.get("value"), dict)  # all others have a value
    return kind_of(item) in ("", *REGIONS) or has_place(item) or empty


def has_place(item: Record) -> bool:
    """Whether an item has coordinates."""
    value = item.get("value")
    fields = [item, *([value] if isinstance(value, dict) else [])]
    return any(field in one for one in fields for field in ("x", "points", "rle"))


def image_of(task: Record) -> str:
    """The image of a task, under whatever name the project has for it."""
    inner = task.get("data")
    data = inner if isinstance(inner, dict) else task
    texts = {field: value for field, value in data.items() if isinstance(value, str) and value.strip()}
    like_a_path = (value for value in texts.values() if "." in value.rpartition("/")[2])
    return next((texts[field] for field in ("image", "img", "photo", "url") if field in texts), next(like_a_path, ""))


def example(name: str, result: object, source: Path, where: str, reading: Reading) -> Example:
    """One image with its objects, in percent of its sides."""
    if not isinstance(result, list):
        reading.fault("unreadable", source, where, f"its result is `{shown(result)}`: nothing of it is used")
    found = regions(result)
    read = set(map(id, found))
    fields = [one for one in records(result) if id(one) not in read]
    classes = {str(one.get("id")): one for one in fields if one.get("type") == "labels"}
    others = [one for one in fields if one.get("type") != "labels"]
    reading.unread.update((printable(kind_of(one)), "image") for one in others)
    made = (
        attempt(
            one, lambda region: region_object(region, classes, source, reading), source, f"{where}, region {i}", reading
        )
        for i, one in enumerate(found, 1)
    )
    objects = tuple(filter(None, made))
    sizes = {size_from(one.get("original_width"), one.get("original_height")) for one in records(found)} - {None}
    size = sizes.pop() if len(sizes) == 1 else None
    return Example(Path(plain(name)), objects, "", size, source)


def region_object(region: Record, classes: dict[str, Record], source: Path, reading: Reading) -> Object:
    """The object of a region, in percent. Raises Unclear where it is none."""
    value = region["value"] if isinstance(region.get("value"), dict) else region
    labelled = [value, classes.get(str(region.get("id")), {}).get("value")]
    lists = [one[label] for one in labelled if isinstance(one, dict) for label in LABELS if one.get(label)]
    names = next((one for one in lists if isinstance(one, list)), [])
    if len(names) > 1:
        raise Unclear(f"has several classes ({shown(names)})")
    size = size_from(region.get("original_width"), region.get("original_height")) or (100, 100)
    obj = Object(box(value, size), named(names[0] if names else ""))
    if value.get("rotation"):
        reading.notes.add("rotated", source)
    elif "width" not in value:
        reading.notes.add("outlined", source)
    return obj


def box(value: Record, size: tuple[int, int]) -> Box:
    """The box around a shape, in percent. size: of the image that was annotated, whose pixels are what turns. Raises
    Unclear where it has none."""
    across, down = (side / 100 for side in size)
    if "points" in value:
        return around(pairs(value["points"]))
    if "radiusX" in value:
        x, y, first, second = numbers(value, ("x", "y", "radiusX", "radiusY"))
        whole = ellipse(x * across, y * down, first * across, second * down, number(value.get("rotation") or 0))
    elif "width" in value:
        x, y, width, height = numbers(value, ("x", "y", "width", "height"))
        corners = (x * across, y * down, (x + width) * across, (y + height) * down)
        whole = turned(corners, number(value.get("rotation") or 0), corners[:2])
    else:
        raise Unclear("is a brush stroke or a key point, which has no box: draw a rectangle")
    x1, y1, x2, y2 = whole
    return x1 / across, y1 / down, x2 / across, y2 / down


FORMAT = Format(
    "Label Studio", (Rule("label-studio", (".json",), looks_like_label_studio, "tasks with labelled regions"),), read
)
