"""`pocketrcnn export --page`: model.onnx, ONNX Runtime and the scripts of the page, put together as one HTML file.

The page may run its own scripts, and nothing else may happen from it: its Content-Security-Policy names them by their
checksums, and allows no connection.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...data.custom_data import RunData
from ...data.files import write_atomically
from ...data.images.foreign import BY_ENDING, HEIC, STARTS, VIDEO, Foreign
from ...data.images.pixels import ENDINGS
from ...report.colours import BOXES
from ...terminal import say
from ...version import __version__
from ..onnx.export import InputsOf, exportable, verified, writable
from ..onnx.runtime import metadata_of, open_session, overlap_of
from .engine import LICENCE, PROGRAM, SCRIPT, VERSION, engine_files
from .examples import examples_of

NAME = "detector.html"
WORKER = ("letterbox", "png", "orientation", "deep", "frames", "pixels", "tiles", "worker")  # scripts, in this order
PAGE = ("counting", "zip", "picture", "files", "table", "app", "controls")
NAMED = 6  # classes in the first line
POLICY = (
    "default-src 'none'; script-src {script} 'wasm-unsafe-eval' blob:; style-src {style}; worker-src blob:; "
    "img-src blob: data:; base-uri 'none'; form-action 'none'"
)


def export_page(
    folder: Path, inputs_of: InputsOf, out: Path | None = None, data: Callable[[], RunData] | None = None
) -> Path:
    """Write the detector of a finished run as a page, RUN/detector.html if `out` is None; returns its path.

    inputs_of: see `onnx.export.verified`. data: of the run, of which a few images are in it; None: no image is. Raises
    UserError as `onnx.export.export` does, and where ONNX Runtime for browsers cannot be had.
    """
    detector = exportable(folder)
    path = writable(out or folder / NAME, ".html", "which browsers open")
    engine = engine_files()
    content = verified(detector, inputs_of, folder)
    shown = examples_of(data(), detector.side) if data else []
    text = page(content, engine, folder.absolute().name, shown)
    write_atomically(path, text.encode())
    images = f"; it holds {len(shown)} images of the data (--no-examples: none)" if shown else ""
    say(f"{path}: {len(text) / 1e6:.1f} MB, opens in any browser, without a network{images}")
    return path


def page(content: bytes, engine: dict[str, bytes], name: str, examples: Sequence[dict[str, str]] = ()) -> str:
    """The page of an exported file, as HTML. engine: the files of ONNX Runtime. name: of the detector."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    metadata = metadata_of(open_session(content, "the ONNX file"), "the ONNX file")
    style, script = source("page.css"), scripts(PAGE)
    texts = {
        "style": style,
        "script": script,
        "worker": scripts(WORKER),
        "detector": as_json(settings(metadata, examples)),
    }
    texts |= {
        "model": packed(content),
        "engine_script": packed(engine[SCRIPT]),
        "engine_program": packed(engine[PROGRAM]),
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source("page.html")).render(
        title=f"Object detector: {name}",
        what=listed(metadata["classes"]),
        policy=POLICY.format(script=hash_of(script), style=hash_of(style)),
        accept=",".join(readable_endings()),
        examples=len(examples),
        threshold=metadata["threshold"],
        side=metadata["side"],
        overlap=overlap_of(metadata),
        version=__version__,
        engine=VERSION,
        licence=LICENCE,
        **{key: Markup(text) for key, text in texts.items()},
    )


def settings(metadata: dict[str, Any], examples: Sequence[dict[str, str]]) -> dict[str, Any]:
    """What the scripts know: the metadata of the file, colours, examples, and which files are no images."""
    starts = {start.decode("latin-1"): sentence(kind) for start, kind in STARTS.items()}
    endings = {ending: sentence(kind) for ending, kind in BY_ENDING.items()}
    foreign = {"starts": starts, "endings": endings, "heic": sentence(HEIC), "video": sentence(VIDEO)}
    known = {key: metadata[key] for key in ("classes", "threshold", "side")}
    return known | {
        "overlap": overlap_of(metadata),
        "pages": metadata.get("pages", "first"),
        "colours": BOXES,
        "examples": list(examples),
        "endings": [*ENDINGS, *BY_ENDING],
        "foreign": foreign,
    }


def sentence(kind: Foreign) -> str:
    """What is said of a file that is not read, behind its name."""
    return f"{kind.what}, which is not read: {kind.remedy}"


def readable_endings() -> list[str]:
    """Endings of what browsers decode, for the dialog that chooses files."""
    return [ending for ending in ENDINGS if ending not in (".tif", ".tiff", ".jp2", ".ppm", ".pgm", ".pbm")]


def listed(classes: Sequence[str]) -> str:
    """The first classes in words."""
    more = len(classes) - NAMED
    return ", ".join(classes[:NAMED]) + (f" and {more} other classes" if more > 0 else "")


def scripts(names: Sequence[str]) -> str:
    """Scripts one after the other, without what would end their element in a page."""
    text = "\n".join(source(f"{name}.js") for name in names)
    assert not re.search(r"</script|<!--", text, re.IGNORECASE), "the browser would take it for HTML"
    return text


def source(name: str) -> str:
    """A file of the folder `browser`."""
    return files(__package__).joinpath("browser", name).read_text("utf-8")


def as_json(value: Any) -> str:
    """JSON that can stand in an element of a page: no letter of it begins a tag."""
    return json.dumps(value).replace("<", "\\u003c")


def packed(content: bytes) -> str:
    """Bytes as base64 of gzip, which is the same at any time."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def hash_of(text: str) -> str:
    """The checksum by which a Content-Security-Policy knows a script or a style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
