"""Pictures: crops by proposals (F1), and detections of F2, F3 and F4."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...report import phrases
from ...report.blocks import Block, Figure, Key, Panel, Section, Strips, Text
from ...report.colours import DETECTION, GROUND_TRUTH
from ...report.marks import Mark, marked, png_size
from ...report.prose import Prose
from .records import Record, Results

CROPS, DETECTIONS, OPENING = 8, 6, 4  # pictures in a row of F1, of the gallery, and at the top of the page
LETTERS = 0.0625  # of the labels, as a fraction of the width of a picture
Box = Sequence[float]

KEYS = (Key("ground truth box", GROUND_TRUTH, "dashed"), Key("predicted box", DETECTION))
DETECTORS, EXTRA = ("F2", "F3", "F4"), ("F1M",)
prose = Prose(__name__, "gallery.md")


def crops(results: Results) -> Section:
    """F1: originals with boxes, crops by the ground truth box, crops by the predicted box."""
    records = [record for record in results.find("R2", "F2", "F3", "F4") if record.pictures.get("rois")]
    if records:
        rois = records[0].pictures["rois"]
        strips = [_strips(records[0], split, rois[split]) for split in ("train", "test") if split in rois]
        blocks: list[Block] = [Text(prose.paragraphs("F1")), *strips]
    else:
        blocks = [Text([prose("F1 is missing", command=results.adding("R2"))], "note")]
    return Section("f1", "F1: crops by a spatial transformer", blocks, short="F1")


def _strips(record: Record, split: str, rois: Mapping[str, Any]) -> Strips:
    labels = rois["labels"][:CROPS]
    pairs = list(zip(rois["truth_boxes"], rois["predicted_boxes"], strict=True))[: len(labels)]
    originals = [
        Panel(boxed(uri, truth, box), f"{label}, with its ground truth box and its predicted box")
        for uri, (truth, box), label in zip(rois["originals"], pairs, labels, strict=False)
    ]
    rows = [("image", originals)]
    for name, box in (("truth", "ground truth"), ("predicted", "predicted")):
        pictures = zip(rois[f"{name}_crops"], labels, strict=False)
        panels = [Panel(uri, f"{label}, cropped by the {box} box") for uri, label in pictures]
        rows.append((f"crop by the {box} box", panels))
    split = phrases.SPLITS[split]
    off = sum(abs(t - p) for truth, box in pairs for t, p in zip(truth, box, strict=True)) / (4 * len(pairs))
    caption = prose("crops", id=record.id, recipe=record.recipe, split=split, labels=labels, off=off)
    return Strips(f"Crops of {split} images", caption, rows, KEYS)


def boxed(uri: str, truth: Box, predicted: Box, label: str = "") -> str:
    """A picture with two boxes [4] xyxy in its pixels. Raises ValueError where the picture is no PNG."""
    size = png_size(uri)
    shown, there = ([v / side for v, side in zip(box, size * 2, strict=True)] for box in (predicted, truth))
    marks = [Mark(shown, DETECTION, label=label), Mark(there, GROUND_TRUTH, dashed=True)]
    return marked(uri, size, marks, LETTERS)


def detections(results: Results) -> Section:
    """Right and wrong detections, as pictures."""
    blocks: list[Block] = [
        _gallery(record, shown, right)
        for record in results.find(*DETECTORS, *EXTRA)
        for right in (True, False)
        if (shown := _pictures(record, right)[:DETECTIONS])
    ]
    if not blocks:
        blocks = [Text([prose("no detections", command=results.adding("F2,F3,F4"))], "note")]
    return Section("detections", "Detections, right and wrong", blocks, short="Detections")


def opening(results: Results) -> Figure | None:
    """Four detections of the first detector for the top of the page, one of them wrong where it has one."""
    record = next((r for r in results.find(*DETECTORS, *EXTRA) if r.pictures.get("detections")), None)
    if record is None:
        return None
    right, wrong = _pictures(record, True), _pictures(record, False)
    shown = [*right[: OPENING - bool(wrong)], *wrong][:OPENING]
    counts = {"total": len(shown), "right": sum(d["right"] for d in shown)}
    caption = prose("opening", id=record.id, title=record.title, recipe=record.recipe, **counts)
    return Figure("Detections", caption, [_detection(d) for d in shown], KEYS, "pairs")


def _pictures(record: Record, right: bool) -> list[Mapping[str, Any]]:
    return [d for d in record.pictures.get("detections", ()) if d["right"] == right]


def _gallery(record: Record, shown: Sequence[Mapping[str, Any]], right: bool) -> Figure:
    word = "right" if right else "wrong"
    overlap = sum(d["iou"] for d in shown) / len(shown)
    accuracy = record.metrics["accuracy"].mean
    caption = prose("gallery", shown=len(shown), id=record.id, word=word, overlap=overlap, accuracy=accuracy)
    heading = f"{phrases.sentence(word)}: {record.id} ({record.title}, {record.recipe} recipe)"
    return Figure(heading, caption, [_detection(d) for d in shown], KEYS, "pictures")


def _detection(one: Mapping[str, Any]) -> Panel:
    uri = boxed(one["image"], one["truth_box"], one["box"], f"{one['predicted']} {one['score']:.2f}")
    same = one["label"] == one["predicted"]
    classes = one["label"] if same else f"{one['label']} taken for {one['predicted']}"
    details = f"score {one['score']:.2f}, IoU {one['iou']:.2f}"
    return Panel(uri, f"Picture of {classes}, with ground truth box and predicted box; {details}.", classes, details)
