"""Plain drawings as SVG: crisp at any size, a few kilobytes, on an opaque background of their own."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

GREEN, ORANGE, RED, BLUE, PURPLE = "#009e73", "#e69f00", "#d55e00", "#0072b2", "#cc79a7"
INK, GREY, RULE, PAPER = "#24292f", "#656d76", "#d0d7de", "#fafafa"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif"


class Drawing:
    """Shapes on a page of so many units; a unit is a pixel where the picture is shown at its full width."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.parts: list[str] = []
        self.rect((0.5, 0.5, width - 0.5, height - 0.5), PAPER, RULE, 1)

    def rect(
        self, box: Sequence[float], fill: str = "none", stroke: str = "none", width: float = 2, **more: str
    ) -> None:
        """A box xyxy; `more`: further attributes, as `stroke_dasharray`."""
        x1, y1, x2, y2 = box
        place = f'x="{x1:.4g}" y="{y1:.4g}" width="{x2 - x1:.4g}" height="{y2 - y1:.4g}"'
        self.parts.append(f"<rect {place} {paint(fill, stroke, width, more)}/>")

    def line(self, points: Sequence[tuple[float, float]], stroke: str = INK, width: float = 2, **more: str) -> None:
        """A line through points."""
        path = " ".join(f"{x:.5g},{y:.5g}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" {paint("none", stroke, width, more)}/>')

    def dot(self, x: float, y: float, radius: float, fill: str = INK) -> None:
        """A filled circle."""
        self.parts.append(f'<circle cx="{x:.5g}" cy="{y:.5g}" r="{radius:.3g}" fill="{fill}"/>')

    def text(self, x: float, y: float, words: str, size: int = 22, colour: str = INK, **more: str) -> None:
        """Words on the line y, from x on, or as `text_anchor` says."""
        extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
        self.parts.append(
            f'<text x="{x:.5g}" y="{y:.5g}" font-size="{size}" fill="{colour}"{extra}>{escape(words)}</text>'
        )

    def svg(self) -> bytes:
        """The file."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}"'
        head += f' viewBox="0 0 {self.width} {self.height}" font-family="{escape(FONT)}">'
        return "\n".join([head, *self.parts, "</svg>", ""]).encode()


def paint(fill: str, stroke: str, width: float, more: dict[str, str]) -> str:
    """The attributes of a shape."""
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    line = "" if stroke == "none" else f' stroke="{stroke}" stroke-width="{width:.3g}"'
    return f'fill="{fill}"{line}{extra}'


class Plot:
    """A square of a drawing in which a frame of `side` pixels is shown, with its upper left corner at (x, y)."""

    def __init__(self, drawing: Drawing, x: float, y: float, size: float, side: float) -> None:
        self.drawing, self.x, self.y, self.scale = drawing, x, y, size / side
        self.side = side

    def at(self, box: Sequence[float]) -> list[float]:
        """A box of the frame, in units of the drawing."""
        x1, y1, x2, y2 = (value * self.scale for value in box)
        return [self.x + x1, self.y + y1, self.x + x2, self.y + y2]

    def cells(self, stride: float) -> None:
        """The frame and the borders of its cells."""
        whole = self.at((0, 0, self.side, self.side))
        self.drawing.rect(whole, "#ffffff", GREY, 2)
        for step in range(1, round(self.side / stride)):
            at = step * stride * self.scale
            self.drawing.line([(self.x + at, whole[1]), (self.x + at, whole[3])], RULE, 1.5)
            self.drawing.line([(whole[0], self.y + at), (whole[2], self.y + at)], RULE, 1.5)

    def box(self, box: Sequence[float], stroke: str, width: float = 3, fill: str = "none", **more: str) -> None:
        """A box of the frame."""
        self.drawing.rect(self.at(box), fill, stroke, width, **more)

    def dot(self, x: float, y: float, radius: float, fill: str = INK) -> None:
        """A point of the frame."""
        self.drawing.dot(self.x + x * self.scale, self.y + y * self.scale, radius, fill)
