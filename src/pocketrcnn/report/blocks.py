"""What a page is made of. The template knows these shapes and nothing about experiments.

Plain strings everywhere: the template escapes them; `code` between backticks is its only mark-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True)
class Text:
    """Paragraphs. `style`: empty, or `note` for a remark beside the argument."""

    kind: ClassVar[str] = "text"
    paragraphs: Sequence[str]
    style: str = ""


@dataclass(frozen=True)
class Items:
    """A list; `terms` gives each item a term to explain."""

    kind: ClassVar[str] = "items"
    items: Sequence[str]
    terms: Sequence[str] = ()


@dataclass(frozen=True)
class Code:
    """Commands to copy."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Cell:
    """A link to a section of the page or to another page beside it, or the most important cell of its row."""

    text: str
    section: str = ""
    page: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Row:
    """Cells of a table. `kind`: empty, `group` (a line over those it sums up), `member` (one of those) or `total`."""

    cells: Sequence[str | Cell]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """Columns whose title begins with `#` hold numbers and are aligned right."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    folded: str = ""
    """The line to click on, for a table that is folded at first."""

    def without(self, *columns: str) -> Table:
        """The same table without these columns."""
        keep = [i for i, column in enumerate(self.columns) if column not in columns]
        rows = [replace(row, cells=[row.cells[i] for i in keep]) for row in self.rows]
        return replace(self, columns=[self.columns[i] for i in keep], rows=rows)


@dataclass(frozen=True)
class Key:
    """One entry of a legend. `shape`: line, dashed, dotted, band, dot, ring or square."""

    label: str
    colour: str
    shape: str = "line"


@dataclass(frozen=True)
class Panel:
    """One image of a figure: a data URI, its alternative text, a heading and a caption."""

    uri: str
    alt: str
    heading: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """Charts or pictures side by side under one heading, with one caption.

    `layout`: charts; pictures (six in a row); pairs (two by two, four in a row) or large (two in a row).
    """

    kind: ClassVar[str] = "figure"
    heading: str
    caption: str
    panels: Sequence[Panel]
    keys: Sequence[Key] = ()
    layout: str = "charts"


@dataclass(frozen=True)
class Strips:
    """Rows of small pictures of which those in a column belong together."""

    kind: ClassVar[str] = "strips"
    heading: str
    caption: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    keys: Sequence[Key] = ()


@dataclass(frozen=True)
class Label:
    """A text on a picture that begins at x, y, in pixels of its image, and is so many pixels high."""

    x: float
    y: float
    height: float
    text: str


@dataclass(frozen=True)
class Picture:
    """An image of an album with boxes over it. `outlines`: paths in pixels of the image, by what the boxes are.

    `number`: its place in the page's `data`. `uri`: empty where the page has shown the image further up.
    """

    number: int
    name: str
    size: Sequence[int]
    uri: str
    caption: str
    outlines: Mapping[str, str]
    labels: Sequence[Label] = ()


@dataclass(frozen=True)
class Album:
    """Pictures whose boxes follow the threshold. `sorted_by`: the orders that the one with all images offers."""

    kind: ClassVar[str] = "album"
    heading: str
    caption: str
    pictures: Sequence[Picture]
    keys: Sequence[Key] = ()
    sorted_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Matrix:
    """Counts [n,n] of a confusion matrix, rows ground truth; the last row and column are background.

    `shades`: of each cell, 0 to 10. `picks`: a click on a cell shows its images.
    """

    kind: ClassVar[str] = "matrix"
    heading: str
    caption: str
    names: Sequence[str]
    counts: Sequence[Sequence[int]]
    shades: Sequence[Sequence[int]]
    picks: bool = False


@dataclass(frozen=True)
class Bar:
    """One row of bars: its length as a part of the longest, 0..1, the text beside it, and cells behind."""

    name: str
    length: float
    text: str
    cells: Sequence[str]


@dataclass(frozen=True)
class Bars:
    """Rows with a bar each; the columns are those of the name, of the bar, and of the cells.

    `picks`: a click on a bar shows its images, and the first cell follows the threshold.
    """

    kind: ClassVar[str] = "bars"
    heading: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Bar]
    picks: bool = False


@dataclass(frozen=True)
class Dot:
    """A value on an axis: its place from left (0) to right (1), its level in a pile of dots, and what it says."""

    place: float
    level: int
    text: str
    picked: bool = False


@dataclass(frozen=True)
class DotRow:
    """Dots with their mean, and the band of a standard deviation around it, as places."""

    name: str
    dots: Sequence[Dot]
    mean: float
    band: tuple[float, float] | None

    @property
    def step(self) -> float:
        """Pixels from one level to the next; high piles are pressed together."""
        return min(11.0, 220 / (1 + max((dot.level for dot in self.dots), default=0)))

    @property
    def height(self) -> float:
        """Of the pile, in pixels."""
        return 12 + self.step * (1 + max((dot.level for dot in self.dots), default=0))


@dataclass(frozen=True)
class Dots:
    """Rows of dots over one axis; a dot says what it is when it is pointed at. ticks: places with their numbers.

    `reference`: the place of a dashed upright line in all rows.
    """

    kind: ClassVar[str] = "dots"
    heading: str
    caption: str
    rows: Sequence[DotRow]
    ticks: Sequence[tuple[float, str]]
    reference: float | None = None
    keys: Sequence[Key] = ()


class Block(Protocol):
    """Whatever `blocks.html` has a macro for, by its kind."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Section:
    """A part of the page. `part` opens a new chapter above it."""

    id: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    part: str = ""
    short: str = ""
    """The name in the list of contents; the title where it is empty."""


@dataclass(frozen=True)
class Page:
    """A whole page: what stands above the list of contents, the sections, and what it was made from."""

    title: str
    heading: str
    version: str
    created: str
    source: str
    introduction: Sequence[str]
    sections: Sequence[Section]
    figures: Sequence[tuple[str, str]] = ()
    """The numbers that matter most, with their names."""
    opening: Sequence[Block] = ()
    """Pictures at the top of the page."""
    tables: Sequence[Table] = ()
    banner: str = ""
    remark: str = ""
    more: Cell | None = None  # a link behind the remark
    data: Mapping[str, Any] | None = None
    """What the script of the page reads; without it the page has none."""
    script: str = "report"  # boxes of all albums at any threshold; `overlays`: boxes that are chosen and filtered
