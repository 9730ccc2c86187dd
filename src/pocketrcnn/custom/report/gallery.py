"""Images with what is in them beside what was detected: some of all, and the worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...report import phrases
from ...report.blocks import Block, Figure, Key, Panel, Section, Text
from ...report.charts import PREDICTION, TRUTH
from .charts import Mark, marked

Facts = Mapping[str, Any]

LETTERS = {"large": 0.03, "pairs": 0.055}  # size of labels, as a part of the width
DENSE = 40  # objects in an image from which on pictures are shown larger
KEYS = (
    Key("object", TRUTH, "dashed"),
    Key("detection", PREDICTION),
    Key("filled: missed, or false", "currentColor", "band"),
)


def sections(run: Facts) -> list[Section]:
    """Truth beside prediction, and the worst images, or a line on why there are none."""
    found = run["pictures"]
    title = "Truth beside prediction"
    if not found:
        reason = run["missing"] or "they come with the evaluation of a finished run"
        return [Section("pictures", title, [Text([f"There are no pictures: {reason}"], "note")], short="Pictures")]
    named = run["settings"]["model.classes"] > 1
    where = f"{phrases.SPLITS[found['split']]} images"
    how = f"Detections from a score of {found['threshold']:.3f} on, right at IoU 0.5 and with the right class."
    some = f"{phrases.sentence(where)}, spread evenly over all of them; nothing is picked by hand. {how}"
    blocks: list[Block] = [gallery("Images with their objects and detections", some, found["some"], named)]
    worst = (
        f"The {where} with the lowest F1, then with most errors. Look for what they share: small or cut objects, a "
        f"kind of image that is rare in training, or objects that somebody forgot to annotate. {how}"
    )
    made = [Section("pictures", title, blocks, short="Pictures")]
    if found["worst"]:
        made.append(
            Section("worst", "The worst images", [gallery("Worst first", worst, found["worst"], named)], short="Worst")
        )
    return made


def gallery(heading: str, caption: str, images: Sequence[Facts], named: bool) -> Figure:
    """Pairs of pictures: objects, then detections."""
    dense = any(max(len(image["objects"]), len(image["detections"])) > DENSE for image in images)
    layout = "large" if dense else "pairs"
    panels = [panel for image in images for panel in pair(image, LETTERS[layout], named)]
    return Figure(heading, caption, panels, KEYS, layout)


def pair(image: Facts, letters: float, named: bool) -> list[Panel]:
    """An image twice: with what is there, and with what was detected; classes are named where there are several."""
    objects, found = image["objects"], image["detections"]
    missed, false = sum(thing["missed"] for thing in objects), sum(mark["false"] for mark in found)
    truth = [Mark(o["box"], TRUTH, o["missed"], dashed=True, label=o["label"] if named else "") for o in objects]
    scores = [f"{d['label']} {d['score']:.2f}" if named else f"{d['score']:.2f}" for d in found]
    marks = [Mark(d["box"], PREDICTION, d["false"], label=text) for d, text in zip(found, scores, strict=True)]
    there = phrases.several(len(objects), "object") + (f", {missed} missed" if missed else "")
    seen = phrases.several(len(found), "detection") + (f", {false} false" if false else "")
    name = image["name"]
    return [
        Panel(marked(image["image"], image["size"], truth, letters), f"{name} with its objects: {there}.", name, there),
        Panel(
            marked(image["image"], image["size"], marks, letters),
            f"{name} with its detections: {seen}.",
            "Detected",
            seen,
        ),
    ]
