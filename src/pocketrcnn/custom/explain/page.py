"""The page of one image: the stages that the network has, one after the other, and why the others are missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from ...report.blocks import Block, Cell, Items, Page, Section, Text
from ...report.html import html
from ...report.overlays import Overlay
from ...report.phrases import count, listed
from ...report.prose import Prose
from ...version import __version__
from .deciding import corrections_section, detections_section
from .naming import classes_section, regions_section
from .proposing import anchors_section, objectness_section, proposals_section
from .seeing import features_section, input_section
from .trace import Trace

prose = Prose(__name__, "page.md")


class Stage(NamedTuple):
    """A stage of a network: its number and name, the section of the page, and where it is written down."""

    name: str
    section: Callable[[Trace], Section]
    where: str


STAGES = {
    "input": Stage(
        "1 Input", input_section, "`data/images/letterbox.py`; `FasterRCNN.normalise` in `model/faster_rcnn.py`"
    ),
    "features": Stage(
        "2 Features", features_section, "`Backbone` in `model/backbones.py`; merged maps: Lin et al. 2017, section 3"
    ),
    "anchors": Stage(
        "3 Anchors",
        anchors_section,
        "`anchors` and `match` in `model/boxes.py`; Ren et al. 2015, sections 3.1.1 and 3.1.2",
    ),
    "objectness": Stage(
        "4 Objectness", objectness_section, "`RPN.forward` in `model/rpn.py`; Ren et al. 2015, section 3.1"
    ),
    "proposals": Stage(
        "5 Proposals",
        proposals_section,
        "`RPN.propose` in `model/rpn.py` and `nms` in `model/boxes.py`; Ren et al. 2015, section 3.3",
    ),
    "regions": Stage(
        "6 Regions",
        regions_section,
        "`transformer_pool` and `max_pool` in `model/roi.py`; "
        "Jaderberg et al. 2015, section 3; Girshick 2015, section 2.1",
    ),
    "classes": Stage("7 Classes", classes_section, "`ROIHead.forward` in `model/roi.py`; Girshick 2015, section 2.1"),
    "corrections": Stage(
        "8 Corrections",
        corrections_section,
        "`encode` and `decode` in `model/boxes.py`; Ren et al. 2015, equation 2; Girshick 2015, section 2.3",
    ),
    "detections": Stage(
        "9 Detections",
        detections_section,
        "`FasterRCNN.decode` in `model/faster_rcnn.py`; Girshick et al. 2014, section 2.2",
    ),
}


def render(traced: Trace, run: str) -> str:
    """The page of an image as HTML. run: the name of the detector."""
    return html(page(traced, run))


def page(traced: Trace, run: str) -> Page:
    """The page of an image."""
    absent = missing(traced)
    sections = [with_source(stage.section(traced), stage.where) for id, stage in STAGES.items() if id not in absent]
    subject = traced.subject
    values = {
        "name": subject.name,
        "source": subject.source,
        "run": run,
        "classes": traced.names if traced.model.head else (),
        "proposals": traced.model.rpn is not None,
        "stages": len(sections),
        "absent": [STAGES[id].name for id in absent],
    }
    sections += [absent_section(absent)] if absent else []
    overlays = [block for section in sections for block in section.blocks if isinstance(block, Overlay)]
    return Page(
        title=f"{subject.name}, explained",
        heading=f"How {run} sees {subject.name}",
        version=__version__,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        source=f"{subject.name} and the network of `{run}`",
        introduction=prose.paragraphs("introduction", **values),
        sections=sections,
        figures=figures(traced),
        remark=prose("remark", **values) if absent else "",
        more=Cell("Why", "missing") if absent else None,
        data={"overlays": {one.name: one.data for one in overlays}},
        script="overlays",
    )


def figures(traced: Trace) -> list[tuple[str, str]]:
    """The numbers at the top."""
    side, truth = traced.side, traced.looked.truth
    return [
        ("input", f"{side} × {side} px"),
        ("features", " × ".join(map(str, traced.features.shape))),
        *([("anchors", count(len(traced.model.rpn.anchors)))] if traced.model.rpn else []),
        *([("objects", count(len(truth)))] if truth is not None else []),
        ("detections", count(traced.counted.sum())),
        ("parameters", count(sum(weights.numel() for weights in traced.model.parameters()))),
    ]


def with_source(section: Section, where: str) -> Section:
    """A section that ends with where its stage is written down."""
    return Section(
        section.id, section.title, [*section.blocks, Text([f"Where: {where}."], "note")], short=section.short
    )


def missing(traced: Trace) -> dict[str, str]:
    """The stages that the network does not have, with the name of the reason in the text."""
    model, absent = traced.model, dict[str, str]()
    if model.rpn is None:
        absent |= dict.fromkeys(("anchors", "objectness", "proposals"), "no proposals")
    if model.head is None:
        absent |= dict.fromkeys(("regions", "classes"), "no classes")
    elif model.head.config.pool == "frame":
        absent["regions"] = "whole frame"
    if traced.corrected is None and traced.prediction.deltas is None:
        absent["corrections"] = "no corrections"
    return {id: absent[id] for id in STAGES if id in absent}


def absent_section(absent: dict[str, str]) -> Section:
    """The stages that are missing, with the reasons."""
    reasons = list(dict.fromkeys(absent.values()))
    names = [listed([STAGES[id].name for id in absent if absent[id] == reason]) for reason in reasons]
    blocks: list[Block] = [Items([prose(reason) for reason in reasons], names)]
    return Section("missing", "What this network does not have", blocks, short="Missing")
