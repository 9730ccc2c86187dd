"""Blocks of an explained image: boxes that a reader chooses and filters, as `overlays.js` does; pictures with bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .blocks import Bar, Key, Label


@dataclass(frozen=True)
class Slider:
    """What a reader moves above an overlay. `name`: `top` (the best so many boxes), `iou` (of suppression) or `score`.
    `value`: what it is at first, to which a button with the text `stored` leads back."""

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float
    stored: str


@dataclass(frozen=True)
class View:
    """One picture of an overlay. `outlines`: paths in pixels of the image, by what they are; `fixed`: those that stay
    whatever is chosen; `counts`: how many boxes it shows, in words."""

    heading: str
    outlines: Mapping[str, str]
    fixed: Mapping[str, str]
    counts: str
    labels: Sequence[Label] = ()


@dataclass(frozen=True)
class Overlay:
    """An image with boxes that a reader chooses and filters, in one view or several. `name`: of its data in the page's.
    `image`: its id; `uri`: empty where the page has shown it. `size`: what is shown of its `whole` size, in pixels."""

    kind: ClassVar[str] = "overlay"
    name: str
    heading: str
    caption: str
    image: str
    uri: str
    size: Sequence[int]
    whole: Sequence[int]
    views: Sequence[View]
    data: Mapping[str, Any]
    sliders: Sequence[Slider] = ()
    keys: Sequence[Key] = ()


@dataclass(frozen=True)
class Card:
    """A picture with bars below it."""

    uri: str
    alt: str
    heading: str
    caption: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Cards:
    """Such pictures side by side."""

    kind: ClassVar[str] = "cards"
    heading: str
    caption: str
    cards: Sequence[Card]
