"""Images with their ground truth and detections: the worst, the most crowded, the best, and all in one album."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...evaluation.outcomes import IGNORED, OUTCOMES, RIGHT
from ...report import phrases
from ...report.blocks import Album, Key, Picture, Section, Text
from ...report.blocks import Label as Written
from ...report.colours import DETECTION, GROUND_TRUTH
from ...report.marks import LABELLED, label, outlines
from ...report.prose import Prose
from .compare import Summary

FIRST = 4  # images of a kind at the top of the page
LETTERS = 0.05  # height of labels, as a fraction of the width
SORTED_BY = {"worst": "most errors", "objects": "most objects", "detections": "most detections", "name": "name"}
KEYS = (
    Key("ground truth", GROUND_TRUTH, "dashed"),
    Key("detection", DETECTION),
    Key("missed", GROUND_TRUTH, "band"),
    Key("false", DETECTION, "band"),
)
prose = Prose(__name__, "gallery.md")


def sections(run: Summary) -> list[Section]:
    """All images of the evaluated split, or a line on why there are none."""
    pictures = run["pictures"]
    if not pictures:
        reason = run["missing"] or "they come with the evaluation of a finished run"
        text = Text([prose("none", reason=reason)], "note")
        return [Section("images", "Ground truth and detections", [text], short="Images")]
    shown = {image for group in groups(pictures).values() for image in group}
    drawn = [picture(pictures, number, number in shown) for number in ranked(pictures)]
    split, count = phrases.SPLITS[pictures["split"]], len(drawn)
    heading = f"{'All ' if count == pictures['of'] else ''}{phrases.several(count, f'{split} image')}"
    caption = prose("all", split=split, count=count, of=pictures["of"], threshold=pictures["threshold"])
    album = Album(heading, caption, drawn, KEYS, SORTED_BY)
    return [Section("images", f"{phrases.sentence(split)} images", [album], short="All images")]


def opening(run: Summary) -> list[Album]:
    """The worst, the most crowded and the best images for the top of the page."""
    pictures = run["pictures"]
    if not pictures:
        return []
    split = phrases.SPLITS[pictures["split"]]
    albums: list[Album] = []
    for name, numbers in groups(pictures).items():
        drawn = [picture(pictures, number) for number in numbers]
        caption = prose(name, split=split, threshold=pictures["threshold"], count=len(numbers), of=len(numbers))
        albums.append(Album(f"{phrases.sentence(name)} {split} images", caption, drawn, () if albums else KEYS))
    return albums


def data(run: Summary, rows: Sequence[int]) -> Summary | None:
    """What the script of the page draws from, None without pictures. rows: of each class in the confusion matrix."""
    pictures = run["pictures"]
    if not pictures:
        return None
    images = [{name: image[name] for name in ("name", "size", "objects", "detections")} for image in pictures["images"]]
    kept = {name: pictures[name] for name in ("threshold", "lowest", "classes")}
    return {**kept, "kinds": OUTCOMES, "rows": rows, "images": images}


def shown_errors(pictures: Summary) -> Counter[str]:
    """How many errors of each kind of TIDE there are from the threshold on; `viewer.js` counts them for any other."""
    counts = Counter[str]()
    for image in pictures["images"]:
        kinds, objects = shown_kinds(image, pictures["threshold"]), image["objects"]
        false = [OUTCOMES[kind] for kind in kinds if kind not in (RIGHT, IGNORED)]
        rows = zip(objects["crowd"], objects["found"], objects["blamed"], strict=True)
        missed = [blamed for crowd, found, blamed in rows if not crowd and not 0 <= found < len(kinds)]
        counts.update(false)
        counts.update(FP=len(false), FN=len(missed), Miss=sum(not 0 <= blamed < len(kinds) for blamed in missed))
    return counts


def groups(pictures: Summary) -> dict[str, list[int]]:
    """The images at the top of the page: each once, none among the worst that has no error, none empty elsewhere.

    Few images are one group, `all`.
    """
    images, threshold, taken = pictures["images"], pictures["threshold"], set[int]()
    if len(images) <= FIRST:
        return {"all": ranked(pictures)}
    count = min(FIRST, -(-len(images) // 3))
    counts = [counted(image, threshold) for image in images]
    objects = [len(image["objects"]["boxes"]) for image in images]
    order = ranked(pictures)
    kinds = {
        "worst": [n for n in order if counts[n]["false"] + counts[n]["missed"]],
        "most crowded": sorted((n for n in order if objects[n]), key=lambda n: -objects[n]),
        "best": sorted((n for n in order if counts[n]["right"]), key=lambda n: (-f1(counts[n]), -objects[n])),
    }
    chosen = {}
    for name, numbers in kinds.items():
        chosen[name] = [n for n in numbers if n not in taken][:count]
        taken.update(chosen[name])
    return {name: numbers for name, numbers in chosen.items() if numbers}


def ranked(pictures: Summary) -> list[int]:
    """The numbers of the images as the evaluation sorts them: lowest F1 first, then most errors."""
    counts = [counted(image, pictures["threshold"]) for image in pictures["images"]]
    return sorted(range(len(counts)), key=lambda n: (f1(counts[n]), -counts[n]["false"] - counts[n]["missed"], n))


def counted(image: Summary, threshold: float) -> dict[str, int]:
    """Right and false detections from a score on, and missed objects."""
    kinds = shown_kinds(image, threshold)
    right = kinds.count(RIGHT)
    objects = image["objects"]["crowd"].count(0)
    return {"right": right, "false": len(kinds) - right - kinds.count(IGNORED), "missed": objects - right}


def shown_kinds(image: Summary, threshold: float) -> list[int]:
    """What became of the detections from a score on; they fall by score."""
    count = sum(score >= threshold for score in image["detections"]["scores"])
    return list(image["detections"]["kinds"][:count])


def f1(counts: Mapping[str, int]) -> float:
    """F1 of an image; 1 where it has neither objects nor detections."""
    total = 2 * counts["right"] + counts["false"] + counts["missed"]
    return 2 * counts["right"] / total if total else 1.0


def picture(pictures: Summary, number: int, shown: bool = False) -> Picture:
    """An image with its boxes at the stored threshold. shown: whether the page has its pixels further up."""
    image, threshold = pictures["images"][number], pictures["threshold"]
    caption = ", ".join(f"{count} {name}" for name, count in counted(image, threshold).items())
    uri = "" if shown else image["image"]
    drawn = {name: outlines(boxes) for name, boxes in kinds_of_boxes(image, threshold).items()}
    return Picture(number, image["name"], image["size"], uri, caption, drawn, labels(pictures, image))


def kinds_of_boxes(image: Summary, threshold: float) -> dict[str, list[Any]]:
    """The boxes that are drawn, by what they are; `viewer.js` has the same kinds."""
    objects, detections, kinds = image["objects"], image["detections"], shown_kinds(image, threshold)
    there = list(zip(objects["boxes"], objects["crowd"], objects["found"], strict=True))
    seen = list(zip(detections["boxes"], kinds, strict=False))
    return {
        "crowd": [box for box, crowd, _ in there if crowd],
        "found": [box for box, crowd, found in there if not crowd and 0 <= found < len(kinds)],
        "missed": [box for box, crowd, found in there if not crowd and not 0 <= found < len(kinds)],
        "ignored": [box for box, kind in seen if kind == IGNORED],
        "right": [box for box, kind in seen if kind == RIGHT],
        "false": [box for box, kind in seen if kind not in (RIGHT, IGNORED)],
    }


def labels(pictures: Summary, image: Summary) -> list[Written]:
    """The names of the detections and of missed objects, where they are few enough not to hide the image."""
    width, texts = image["size"][0], list(texts_of(pictures, image, pictures["threshold"]))
    return [label(box, text, width, LETTERS * width) for box, text in texts] if len(texts) <= LABELLED else []


def texts_of(pictures: Summary, image: Summary, threshold: float) -> Iterable[tuple[Sequence[float], str]]:
    """Boxes with class and score; of one class the score alone, and no name for what is missed."""
    objects, detections, classes = image["objects"], image["detections"], pictures["classes"]
    count = len(shown_kinds(image, threshold))
    named = len(classes) > 1
    for box, which, crowd, found in zip(
        *(objects[name] for name in ("boxes", "labels", "crowd", "found")), strict=True
    ):
        if named and not crowd and not 0 <= found < count:
            yield box, classes[which]
    rows = zip(*(detections[name][:count] for name in ("boxes", "labels", "scores")), strict=True)
    for box, which, score in rows:
        yield box, f"{classes[which] if named else ''} {score:.2f}".strip()
