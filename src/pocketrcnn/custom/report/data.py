"""What a run learned from: images, objects, classes, and the anchors against the shapes of the objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...report import charts, phrases
from ...report.blocks import Block, Figure, Key, Panel, Row, Section, Table, Text
from . import charts as run_charts

Facts = Mapping[str, Any]

MOST_CLASSES = 30  # rows of a table that stays open


def sections(run: Facts) -> list[Section]:
    """The data and the anchors, or a line on why they cannot be shown."""
    data = run["data"]
    if not data:
        text = f"The data are not shown here: {run['missing'] or 'they were not looked at'}"
        return [Section("data", "Data", [Text([text], "note")])]
    blocks: list[Block] = [Text(words(data)), splits(data), classes(data), per_image(data)]
    found = [Section("data", "Data", blocks)]
    return [*found, anchors(data["shapes"], run["settings"]["model.input_size"])] if data["shapes"] else found


def words(data: Facts) -> list[str]:
    """Format, sizes of images, and what was left out, in sentences."""
    sizes = [f"{size['width']} × {size['height']} px ({size['images']:,})" for size in data["image_sizes"]]
    more = data["different_sizes"] - len(sizes)
    rest = f" and {phrases.several(more, 'other size')}" if more > 0 else ""
    text = f"`{data['data']}`, read as {data['format'].upper()}. Sizes of the images: {', '.join(sizes)}{rest}."
    empty = data["images_without_objects"]
    text += f" {phrases.several(empty, 'image')} without objects." if empty else " Every image has objects."
    if data["crowds"]:
        crowds = phrases.several(data["crowds"], "crowd")
        text += f" {crowds}: background in training, not counted in evaluation."
    faults = ", ".join(f"{kind} {count:,}" for kind, count in sorted(data["faults"].items()))
    lost = f" `pocketrcnn check` found faults ({faults}); {data['dropped']:,} of them cost an image or an object."
    return [text + (lost if faults else "")]


def splits(data: Facts) -> Table:
    """Images and objects by split."""
    found = {split: data["splits"][split] for split in phrases.in_order(data["splits"])}
    rows = [
        Row([phrases.SPLITS[split], *(phrases.count(row[key]) for key in ("images", "objects"))])
        for split, row in found.items()
    ]
    totals = [phrases.count(sum(row[key] for row in found.values())) for key in ("images", "objects")]
    return Table("Images and objects.", ["split", "#images", "#objects"], [*rows, Row(["all", *totals], "total")])


def classes(data: Facts) -> Table:
    """Objects by class and split, with their sizes; folded where there are many classes."""
    names = phrases.in_order(data["splits"])
    columns = ["class", *(f"#{phrases.SPLITS[name]}" for name in names), "#median side", "#smallest", "#largest"]
    rows = []
    for row in data["classes"]:
        side = row["side"]
        sides = [f"{side[key]:.1f} px" for key in ("median", "min", "max")] if side else ["n/a"] * 3
        rows.append(Row([row["name"], *(phrases.count(row["objects"][name]) for name in names), *sides]))
    caption = "Objects of each class. Side: the square root of an object's area, in pixels of its image."
    return Table(caption, columns, rows, f"{len(rows)} classes" if len(rows) > MOST_CLASSES else "")


def per_image(data: Facts) -> Figure:
    """How many objects an image has, and how large they are."""
    counts, shapes = data["per_image"], data["shapes"]
    uri = run_charts.histogram(counts, "objects in an image")
    most = phrases.several(counts["max"], "object")
    panels = [Panel(uri, f"Histogram of objects in an image; the fullest has {most}.", "Images, by number of objects")]
    text = f"How full the images are: the fullest has {most}."
    if shapes:
        middle = f"{shapes['median_side']:.0f} px"
        uri = run_charts.histogram(shapes["sides"], "side in px of the input")
        panels.append(Panel(uri, f"Histogram of the objects' sides; the median is {middle}.", "Objects, by size"))
        text += f" Sizes are those of the training objects in the network's input: half of them are below {middle}."
    return Figure("Objects in images", text, panels)


def anchors(shapes: Facts, side: int) -> Section:
    """The anchors among the shapes of the training boxes, and how well they overlap."""
    listed = phrases.listed([f"{w:g} × {h:g}" for w, h in shapes["anchors"]])
    alt = f"Scatter of the widths and heights of {len(shapes['boxes'])} training boxes, with the anchors {listed}."
    uri = run_charts.shape_chart(shapes["boxes"], shapes["anchors"])
    recall = {level: phrases.percent(value, 1) for level, value in shapes["recall"].items()}
    overlap = f"mean {shapes['mean_overlap']:.2f}"
    panels = [
        Panel(uri, alt, "Shapes of the training boxes"),
        Panel(
            run_charts.histogram(shapes["overlaps"], "IoU with the best anchor"),
            f"Histogram of the IoU of each training box with its best anchor; {overlap}.",
            "Training boxes, by overlap",
        ),
    ]
    caption = (
        f"Each dot is a box of the training data, each ring an anchor ({listed} px), in pixels of the input of {side} "
        f"× {side}. A dot far from all rings is hard to propose. With box and anchor on one centre, {recall['0.5']} of "
        f"the boxes reach IoU 0.5 with an anchor and {recall['0.7']} reach 0.7 ({overlap}): the best possible recall."
    )
    keys = [Key("training box", charts.COLOURS[0], "dot"), Key("anchor", charts.COLOURS[4], "ring")]
    return Section(
        "anchors", "Anchors against boxes", [Figure("Anchors and boxes", caption, panels, keys)], short="Anchors"
    )
