"""Tables 1 and 2 of the course (five pooled convolutions; four, stride 8), and our Table 3. No torch here."""

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Row(NamedTuple):
    """One line of a table of the course, or of ours."""

    channels: int
    kernel: int
    pool: bool = False
    """The map is halved behind the convolution, by 2x2 max pooling."""
    before: Literal["", "pool", "stride"] = ""
    """The map is halved before it, by pooling, or by the convolution itself, which skips every other position."""

    @property
    def halves(self) -> int:
        """By how much the map's sides are divided."""
        return 2 if self.pool or self.before else 1


TABLES = {
    1: (Row(32, 5, True), Row(64, 5, True), Row(128, 5, True), Row(256, 5, True), Row(512, 3, True)),
    2: (Row(32, 5, True), Row(64, 5, True), Row(128, 5, True), Row(256, 3, False)),
    # Ours, for larger images: each convolution that is trained sees a quarter of the image's positions at most, and
    # maps are pooled behind the point where they are merged.
    3: (
        Row(32, 4, before="stride"),
        Row(64, 3, before="stride"),
        Row(96, 3, before="pool"),
        Row(192, 3, before="pool"),
    ),
}
MERGED = 64  # channels of a merged map


def scaled(channels: int, width: float) -> int:
    """A number of channels times the factor `width`: a multiple of 8, at least 8, which is fastest on processors."""
    return max(8, round(channels * width / 8) * 8)


@dataclass(frozen=True)
class Layer:
    """One convolution or linear layer, with its costs for one image."""

    name: str
    stage: str
    """The line of the table that it belongs to."""
    kind: str
    kernel: tuple[int, int]
    in_channels: int
    out_channels: int
    output: tuple[int, int]
    """Height and width in cells."""
    multiplications: int
    parameters: int
    trained: bool = True
