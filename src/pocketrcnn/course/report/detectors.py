"""Region proposals (R1, R2), crops (F1) and the detectors (F2, F3, F4) with pictures of what they find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...report import draw, phrases
from ...report.blocks import Block, Figure, Key, Panel, Section, Strips, Text
from ...report.charts import PREDICTION, TRUTH
from . import curves, tables
from .networks import missing
from .records import EXPERIMENTS, Record, Results

CROPS, DETECTIONS = 8, 6  # pictures in a row of F1 and of the gallery
SCALE = 4  # each pixel of a picture with boxes, enlarged
Box = Sequence[float]

KEYS = (Key("true box", TRUTH, "dashed"), Key("predicted box", PREDICTION))

ABOUT_R1 = (
    "Transformed CIFAR-10: a CIFAR-10 image of 24 to 40 pixels placed at random on a background of 48 × 48. The "
    "base network leaves 6 × 6 cells, and on each cell lies one anchor, a square of 32 pixels. A cell is positive "
    "where its anchor overlaps the object by more than 0.7 (intersection over union) or, of all anchors, most; "
    "negative below 0.1; in between it is ignored. The network tells positive from negative cells.",
    "The report gives “0.0101” as its accuracy. That is its final loss; its curves show about 99 %, which is the "
    "figure used here.",
)
ABOUT_R2 = (
    "Beside the objectness of a cell, the network predicts row, column and width of the object, relative to the "
    "anchor: `t_x = (x − x_a) / w_a`, `t_y = (y − y_a) / w_a`, `t_w = log(w / w_a)`. The regression loss is smooth L1, "
    "summed over these three and averaged over positive cells alone, and it is learned together with the "
    "classifier.",
    "A loss of this kind says little by itself, so it is given in pixels, too. Error and overlap are another measure: "
    "they are of the best-scoring proposal, whose cell may be one that regression is not trained on.",
)
ABOUT_F1 = (
    "The highest-scoring proposal, with centre x, y and width w, becomes the matrix of a spatial transformer, "
    "`θ = [w/48, 0, (x − 24)/24; 0, w/48, (y − 24)/24]`, and the image is sampled through it at 32 × 32 points. A good "
    "proposal gives the crop that the true box gives.",
)
ABOUT_F = {
    "F2": "The crop of F1, taken from the features instead of the image: 4 × 4 cells, a fully connected layer of "
    "256, BatchNorm, ReLU, ten classes. Proposals, boxes and classes are learned end to end. At test time the box "
    "is always the predicted one.",
    "F3": "F2 with the first three convolutions separable, as in B2.",
    "F4": "F2 with the first three convolutions replaced by residual blocks, as in B3.",
}
ABOUT_EXTRA = {
    "F1M": "F2 with true ROI max pooling in place of the spatial transformer: each of the 4 × 4 cells is the largest "
    "of the features in it, without bilinear sampling. The report has no number for it; that of F2 stands beside it.",
}


def sections(results: Results) -> list[Section]:
    """R1, R2, F1, F2, F3, F4, what was run beyond them, and the gallery of detections, present or not."""
    extra = [id for id in ABOUT_EXTRA if results.find(id)]
    detectors = [detector(results, id) for id in (*ABOUT_F, *extra)]
    return [classifier(results), regressor(results), crops(results), *detectors, detections(results)]


def _title(id: str) -> str:
    return f"{id}: {EXPERIMENTS[id]}"


def classifier(results: Results) -> Section:
    """R1: loss and point-wise accuracy."""
    records = results.find("R1")
    if not records:
        return missing(results, "R1", _title("R1"))
    blocks: list[Block | None] = [Text(ABOUT_R1), tables.run_table(results, records), *tables.proposal_tables(records)]
    for record in records:
        caption = curves.join(
            curves.fall(record, "loss_objectness", "The loss"),
            curves.passing(results, record, curves.OBJECTNESS_ACCURACY),
            curves.gap(record, "objectness_accuracy"),
        )
        shown = (curves.OBJECTNESS_LOSS, curves.OBJECTNESS_ACCURACY)
        blocks.append(
            curves.figure(results, record, f"Loss and accuracy of R1, {record.recipe} recipe", shown, caption)
        )
    return _section("R1", [*blocks, tables.layer_table(records[0], folded=True)])


def regressor(results: Results) -> Section:
    """R2: losses, what they are in pixels, and how good the best-scoring proposal is."""
    records = results.find("R2")
    if not records:
        return missing(results, "R2", _title("R2"))
    blocks: list[Block | None] = [Text(ABOUT_R2), tables.run_table(results, records), *tables.proposal_tables(records)]
    for record in records:
        blocks += [_losses(results, record), _accuracies(results, record)]
    return _section("R2", [*blocks, tables.layer_table(records[0], folded=True)])


def _losses(results: Results, record: Record) -> Figure | None:
    caption = curves.join(
        curves.fall(record, "loss_objectness", "The loss of the classifier"),
        curves.fall(record, "loss_box", "The loss of the regression"),
        "Logarithmic axes.",
    )
    shown = (curves.OBJECTNESS_LOSS, curves.TRAINED_BOX_LOSS, curves.LOSS)
    return curves.figure(results, record, f"Training losses of R2, {record.recipe} recipe", shown, caption)


def _accuracies(results: Results, record: Record) -> Figure | None:
    shown = (curves.OBJECTNESS_ACCURACY, curves.BOX_LOSS, curves.PIXEL_ERROR, curves.MEAN_IOU)
    heading = f"Beside the losses: accuracy, pixels and overlap in R2, {record.recipe} recipe"
    return curves.figure(
        results,
        record,
        heading,
        shown,
        curves.join(curves.passing(results, record, curves.BOX_LOSS), _in_pixels(record)),
    )


def _in_pixels(record: Record) -> str:
    if not {"box_loss", "pixel_error", "mean_iou"} <= record.metrics.keys():
        return ""
    loss, error, iou = (record.metrics[name] for name in ("box_loss", "pixel_error", "mean_iou"))
    return (
        f"The final regression loss of {loss.mean:.6f}, over positive cells, is about "
        f"{phrases.in_pixels(loss).mean:.2f} pixels in a coordinate. The best-scoring proposal, whose cell may be one "
        f"that regression is not trained on, is {error.mean:.2f} pixels off and has a mean overlap of {iou.mean:.3f}."
    )


def crops(results: Results) -> Section:
    """F1: originals with boxes, crops by the true box, crops by the predicted box."""
    title = "F1: crops by a spatial transformer"
    records = [record for record in results.find("R2", "F2", "F3", "F4") if record.pictures.get("rois")]
    if not records:
        text = f"F1 has no pictures here: they come with R2. `{results.adding('R2')}` makes them."
        return Section("f1", title, [Text([text], "note")], short="F1")
    blocks: list[Block] = [Text(ABOUT_F1)]
    for split in ("train", "test"):
        if split in records[0].pictures["rois"]:
            blocks.append(_strips(records[0], split, records[0].pictures["rois"][split]))
    return Section("f1", title, blocks, short="F1")


def _strips(record: Record, split: str, rois: Mapping[str, Any]) -> Strips:
    labels = rois["labels"][:CROPS]
    pairs = list(zip(rois["truth_boxes"], rois["predicted_boxes"], strict=True))[: len(labels)]
    rows = [
        ("image", _originals(rois["originals"], pairs, labels)),
        ("crop by the true box", _crops(rois["truth_crops"], labels, "true")),
        ("crop by the predicted box", _crops(rois["predicted_crops"], labels, "predicted")),
    ]
    name = {"train": "training", "test": "test"}[split]
    off = sum(abs(t - p) for truth, box in pairs for t, p in zip(truth, box, strict=True)) / (4 * len(pairs))
    caption = (
        f"Proposals of {record.id} ({record.recipe} recipe) on {phrases.several(len(labels), f'{name} image')}. "
        f"The edges of the predicted boxes lie on average {off:.2f} pixels from the true ones: by so much the two "
        f"rows of crops differ. From left to right: {phrases.listed(labels)}."
    )
    return Strips(f"Crops of {name} images", caption, rows, KEYS)


def _originals(uris: Sequence[str], pairs: Sequence[tuple[Box, Box]], labels: Sequence[str]) -> list[Panel]:
    drawn = [_boxed(uri, draw.Mark(box), truth, width=4) for uri, (truth, box) in zip(uris, pairs, strict=False)]
    return [
        Panel(uri, f"{label}, with its true and its predicted box") for uri, label in zip(drawn, labels, strict=True)
    ]


def _crops(uris: Sequence[str], labels: Sequence[str], box: str) -> list[Panel]:
    return [Panel(uri, f"{label}, cropped by the {box} box") for uri, label in zip(uris, labels, strict=False)]


def _boxed(uri: str, prediction: draw.Mark, truth: Box, width: int = 2) -> str:
    marks = [prediction, draw.Mark(truth, colour=draw.TRUTH, dashed=True)]
    return draw.png_uri(draw.draw_boxes(draw.read_uri(uri), marks, SCALE, width))


def detector(results: Results, id: str) -> Section:
    """A detector: figures and the six panels of training."""
    records = results.find(id)
    if not records:
        return missing(results, id, _title(id))
    blocks: list[Block | None] = [
        Text([(ABOUT_F | ABOUT_EXTRA)[id]]),
        tables.run_table(results, records),
        *tables.proposal_tables(records),
    ]
    for record in records:
        caption = curves.join(
            curves.passing(results, record, curves.OBJECT_ACCURACY), curves.pace(record), curves.gap(record)
        )
        blocks.append(curves.figure(results, record, f"Training of {id}, {record.recipe} recipe", curves.SIX, caption))
    return _section(id, [*blocks, tables.layer_table(records[0], folded=True)])


def _section(id: str, blocks: Sequence[Block | None]) -> Section:
    return Section(id.lower(), _title(id), [block for block in blocks if block], short=id)


def detections(results: Results) -> Section:
    """Right and wrong detections, drawn."""
    title = "Detections, right ones and wrong ones"
    blocks: list[Block] = []
    for record in results.find(*ABOUT_F, *ABOUT_EXTRA):
        for right in (True, False):
            found = [d for d in record.pictures.get("detections", ()) if d["right"] == right][:DETECTIONS]
            if found:
                blocks.append(_gallery(record, found, right))
    if not blocks:
        text = f"There are no pictures of detections here. `{results.adding('F2,F3,F4')}` makes them."
        return Section("detections", title, [Text([text], "note")], short="Detections")
    return Section("detections", title, blocks, short="Detections")


def _gallery(record: Record, found: Sequence[Mapping[str, Any]], right: bool) -> Figure:
    word = "right" if right else "wrong"
    overlap = sum(d["iou"] for d in found) / len(found)
    caption = (
        f"{phrases.several(len(found), 'test image')} of which {record.id} got the class {word}, with boxes it "
        f"predicted; their mean overlap with the true boxes is {overlap:.2f}. The number is the detector's own "
        "score. How many are shown says nothing of how many there are: in all, "
        f"{phrases.percent(record.metrics['accuracy'].mean, 1)} of the test images are right."
    )
    panels = [_detection(d) for d in found]
    heading = f"{phrases.sentence(word)} ones of {record.id} ({EXPERIMENTS[record.id]}, {record.recipe} recipe)"
    return Figure(heading, caption, panels, KEYS, "pictures")


def _detection(found: Mapping[str, Any]) -> Panel:
    uri = _boxed(found["image"], draw.Mark(found["box"], found["predicted"], found["score"]), found["truth_box"])
    same = found["label"] == found["predicted"]
    told = found["label"] if same else f"{found['label']} taken for {found['predicted']}"
    details = f"score {found['score']:.2f}, IoU {found['iou']:.2f}"
    return Panel(uri, f"Picture of {told}, with true and predicted box; {details}.", told, details)
