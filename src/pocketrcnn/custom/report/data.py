"""What a run was trained on: images, objects, classes, and the anchors against the shapes of the objects."""

from ...report import phrases
from ...report.blocks import Block, Figure, Key, Panel, Row, Section, Table, Text
from ...report.colours import COLOURS
from ...report.prose import Prose
from . import charts as run_charts
from .compare import Summary

MAX_CLASSES = 30  # rows of a table that stays open
prose = Prose(__name__, "data.md")


def sections(run: Summary) -> list[Section]:
    """The data and the anchors, or a line on why they cannot be shown."""
    data = run["data"]
    if not data:
        text = prose("missing", reason=run["missing"] or "they were not read")
        return [Section("data", "Data", [Text([text], "note")])]
    sizes = [f"{size['width']} × {size['height']} px ({size['images']:,})" for size in data["image_sizes"]]
    faults = [f"{kind} {count:,}" for kind, count in sorted(data["faults"].items())]
    counts = {"more": max(0, data["different_sizes"] - len(sizes)), "empty": data["images_without_objects"]}
    counts["unmeasured"] = data["splits"].get("val", {"objects": 1})["objects"] == 0
    text = prose("summary", **{**data, "faults": faults}, sizes=sizes, **counts)
    blocks: list[Block] = [Text([text]), splits(data), classes(data), per_image(data)]
    made = [Section("data", "Data", blocks)]
    return [*made, anchors(data["shapes"], run["settings"]["model.input_size"])] if data["shapes"] else made


def splits(data: Summary) -> Table:
    """Images and objects by split."""
    counts = {split: data["splits"][split] for split in phrases.in_order(data["splits"])}
    rows = [
        Row([phrases.SPLITS[split], *(phrases.count(row[key]) for key in ("images", "objects"))])
        for split, row in counts.items()
    ]
    totals = [phrases.count(sum(row[key] for row in counts.values())) for key in ("images", "objects")]
    return Table("Images and objects.", ["split", "#images", "#objects"], [*rows, Row(["all", *totals], "total")])


def classes(data: Summary) -> Table:
    """Objects by class and split, with their sizes; folded where there are many classes."""
    names = phrases.in_order(data["splits"])
    columns = ["class", *(f"#{phrases.SPLITS[name]}" for name in names), "#median side", "#smallest", "#largest"]
    rows = []
    for row in data["classes"]:
        side = row["side"]
        sides = [f"{side[key]:.1f} px" for key in ("median", "min", "max")] if side else ["n/a"] * 3
        rows.append(Row([row["name"], *(phrases.count(row["objects"][name]) for name in names), *sides]))
    return Table(prose("classes"), columns, rows, f"{len(rows)} classes" if len(rows) > MAX_CLASSES else "")


def per_image(data: Summary) -> Figure:
    """How many objects an image has, and how large they are."""
    counts, shapes = data["per_image"], data["shapes"]
    largest = phrases.several(counts["max"], "object")
    uri = run_charts.histogram(counts, "objects in an image")
    alt = f"Histogram of objects in an image; the maximum is {largest}."
    panels = [Panel(uri, alt, "Images, by number of objects")]
    if shapes:
        uri = run_charts.histogram(shapes["sides"], "side in px of the input")
        alt = f"Histogram of the objects' sides; the median is {shapes['median_side']:.0f} px."
        panels.append(Panel(uri, alt, "Objects, by size"))
    return Figure("Objects in images", prose("objects", largest=counts["max"], shapes=shapes), panels)


def anchors(shapes: Summary, side: int) -> Section:
    """The anchors among the shapes of the training boxes, and how well they overlap."""
    listed, overlap = phrases.listed([f"{w:g} × {h:g}" for w, h in shapes["anchors"]]), shapes["mean_overlap"]
    alts = (
        f"Scatter of the widths and heights of {len(shapes['boxes'])} training boxes, with the anchors {listed}.",
        f"Histogram of the IoU of each training box with its best anchor; mean {overlap:.2f}.",
    )
    panels = [
        Panel(run_charts.shape_chart(shapes["boxes"], shapes["anchors"]), alts[0], "Shapes of the training boxes"),
        Panel(run_charts.histogram(shapes["overlaps"], "IoU with the best anchor"), alts[1], "Training boxes, by IoU"),
    ]
    caption = prose("anchors", anchors=listed, side=side, recall=shapes["recall"], overlap=overlap)
    keys = [Key("training box", COLOURS[0], "dot"), Key("anchor", COLOURS[4], "ring")]
    figure = Figure("Anchors and boxes", caption, panels, keys)
    return Section("anchors", "Anchors against boxes", [figure], short="Anchors")
