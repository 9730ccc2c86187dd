"""Images with their ground truth beside their detections: some of all, and the worst."""

from collections.abc import Sequence

from ...report import phrases
from ...report.blocks import Figure, Key, Panel, Section, Text
from ...report.colours import DETECTION, GROUND_TRUTH
from ...report.marks import Mark, marked
from ...report.prose import Prose
from .compare import Summary

LETTERS = {"large": 0.03, "pairs": 0.055}  # size of labels, as a fraction of the width
DENSE = 40  # objects in an image from which on pictures are shown larger
OPENING = 4  # images at the top of the page
KEYS = (
    Key("ground truth", GROUND_TRUTH, "dashed"),
    Key("detection", DETECTION),
    Key("filled: missed, or false", "currentColor", "band"),
)
prose = Prose(__name__, "gallery.md")


def sections(run: Summary) -> list[Section]:
    """Ground truth beside detections, and the worst images, or a line on why there are none."""
    pictures = run["pictures"]
    title = "Ground truth and detections"
    if not pictures:
        reason = run["missing"] or "they come with the evaluation of a finished run"
        return [Section("pictures", title, [Text([prose("none", reason=reason)], "note")], short="Pictures")]
    shown = {
        "images": f"{phrases.SPLITS[pictures['split']]} images",
        "how": prose("how", threshold=pictures["threshold"]),
    }
    named = run["settings"]["model.classes"] > 1
    some = gallery("Images with their objects and detections", prose("some", **shown), pictures["some"], named)
    made = [Section("pictures", title, [some], short="Pictures")]
    if pictures["worst"]:
        worst = gallery("Worst first", prose("worst", **shown), pictures["worst"], named)
        made.append(Section("worst", "The worst images", [worst], short="Worst"))
    return made


def opening(run: Summary) -> Figure | None:
    """Four images of the evaluated split for the top of the page, each with ground truth and detections."""
    pictures = run["pictures"]
    if not pictures or not pictures["some"]:
        return None
    panels, named = [], run["settings"]["model.classes"] > 1
    for image in pictures["some"][:OPENING]:
        there, seen = counted(image)
        marks = [*ground_truth(image, named=False), *detections(image, named)]
        panels.append(picture(image, marks, "pairs", f"with its ground truth and its detections: {there}; {seen}"))
    images = f"{phrases.SPLITS[pictures['split']]} images"
    caption = prose("opening", images=images, threshold=pictures["threshold"])
    return Figure("Detections", caption, panels, KEYS, "pairs")


def gallery(heading: str, caption: str, images: Sequence[Summary], named: bool) -> Figure:
    """Each image twice: with its ground truth, and with its detections. named: boxes are labelled with their class."""
    dense = any(max(len(image["objects"]), len(image["detections"])) > DENSE for image in images)
    layout = "large" if dense else "pairs"
    panels = []
    for image in images:
        there, seen = counted(image)
        boxes, marks = ground_truth(image, named), detections(image, named)
        panels.append(picture(image, boxes, layout, f"with its objects: {there}", caption=there))
        shown = f"with its detections: {seen}"
        panels.append(picture(image, marks, layout, shown, heading="Detected", caption=seen))
    return Figure(heading, caption, panels, KEYS, layout)


def picture(
    image: Summary, marks: Sequence[Mark], layout: str, shown: str, *, heading: str = "", caption: str = ""
) -> Panel:
    """An image with boxes over it. `shown`: its alternative text, behind the name of the image."""
    uri = marked(image["image"], image["size"], marks, LETTERS[layout])
    return Panel(uri, f"{image['name']} {shown}.", heading or image["name"], caption)


def counted(image: Summary) -> tuple[str, str]:
    """How many objects (and how many missed), how many detections (and how many false)."""
    missed, false = sum(o["missed"] for o in image["objects"]), sum(d["false"] for d in image["detections"])
    there = phrases.several(len(image["objects"]), "object") + (f", {missed} missed" if missed else "")
    return there, phrases.several(len(image["detections"]), "detection") + (f", {false} false" if false else "")


def ground_truth(image: Summary, named: bool) -> list[Mark]:
    """The objects; filled where they are missed."""
    return [
        Mark(o["box"], GROUND_TRUTH, o["missed"], dashed=True, label=o["label"] if named else "")
        for o in image["objects"]
    ]


def detections(image: Summary, named: bool) -> list[Mark]:
    """The detections with their scores; filled where they are false."""
    return [
        Mark(d["box"], DETECTION, d["false"], label=f"{d['label'] if named else ''} {d['score']:.2f}".strip())
        for d in image["detections"]
    ]
