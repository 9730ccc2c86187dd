"""What a lesson imports: `check` tells a student how far an exercise is, `show` shows a figure.

Both work wherever a lesson runs: in a notebook, as a script started from any folder, and where `making/execution.py`
collects what a lesson prints and shows. Importing this gives figures the project's look; `picture` and `outline` draw
images and boxes in them.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
from cycler import cycler

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

LESSONS = Path(__file__).resolve().parent
NEEDS = "`pip install '.[lessons]'` in a clone of the project"
IN_NOTEBOOK = "ipykernel" in sys.modules
DPI = 200  # a figure of 7.2 inches is sharp at 800 pixels on every screen
Collector = Callable[[str, str, bytes], None]
"""Takes the name of a figure, its caption, and the figure as PNG."""

if find_spec("pocketrcnn") is None:
    raise ImportError(f"the lessons need the package itself, which is not installed here: {NEEDS}")

from pocketrcnn.report.colours import COLOURS, GREY, INK, RULE  # noqa: E402 - after the line that says what is missing

if not IN_NOTEBOOK:
    matplotlib.use("agg")  # figures become files: no window is needed
matplotlib.rcParams.update(
    {
        "figure.figsize": (7.2, 3.2),
        "figure.constrained_layout.use": True,
        "font.size": 9,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
        "axes.axisbelow": True,
        "grid.color": RULE,
        "image.interpolation": "nearest",
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "savefig.facecolor": "white",
        "text.color": INK,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
    }
)

collector: Collector | None = None
"""Set by `making/execution.py`; else figures are displayed or saved."""


def check(function: Callable[..., Any]) -> None:
    """Run the hidden tests of an exercise on what the student wrote, and print one line: not written yet, what differs,
    or right. It never stops the lesson."""
    if missing := next((name for name in ("pytest", "jupytext") if find_spec(name) is None), None):
        print(f"check needs {missing}, which is not installed here: {NEEDS}")
        return
    if str(LESSONS) not in sys.path:
        sys.path.insert(0, str(LESSONS))
    from making.checking import verdict

    print(verdict(function))


def show(figure: Figure, name: str, caption: str) -> None:
    """Show a figure with its caption, which says what to see; then close it.

    A notebook displays it. A script saves it as `figures/NAME.png` in the folder of its lesson, and prints where.
    """
    from matplotlib import pyplot

    if collector is not None:
        collector(name, caption, png(figure))
    elif IN_NOTEBOOK:
        display(figure, caption)
    else:
        save(name, caption, png(figure))
    pyplot.close(figure)


def png(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def display(figure: Figure, caption: str) -> None:
    """In a notebook: the figure, its caption below."""
    from IPython import display as notebook  # type: ignore[import-not-found,unused-ignore]

    notebook.display(figure, notebook.Markdown(f"*{caption}*"))


def save(name: str, caption: str, content: bytes) -> None:
    """Save a figure beside the lesson that runs, in `03/figures/`, and say where; a folder that cannot be written to is
    said, too, and the lesson goes on."""
    script = Path(getattr(sys.modules["__main__"], "__file__", None) or "lesson").resolve()
    number = script.stem[:2] if script.stem[:2].isdigit() else script.stem
    path = script.parent / number / "figures" / f"{name}.png"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        print(f"[figure {name} was not saved ({error.strerror})] {caption}")
    else:
        print(f"[figure {path}] {caption}")


def picture(axes: Axes, image: Tensor) -> None:
    """Draw an image, uint8 [3,H,W], with its axes in pixels as boxes have them: (0, 0) is the upper left corner."""
    height, width = image.shape[-2:]
    axes.imshow(image.permute(1, 2, 0).numpy(), extent=(0, width, height, 0))


def outline(axes: Axes, boxes: Tensor, colour: str, **line: Any) -> None:
    """Draw the borders of boxes xyxy, [...,4]. `line`: other settings of the lines, as `linestyle="--"`."""
    from matplotlib.patches import Rectangle

    settings: dict[str, Any] = {"color": colour, "linewidth": 2} | line
    for x1, y1, x2, y2 in boxes.reshape(-1, 4).tolist():
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, **settings))
