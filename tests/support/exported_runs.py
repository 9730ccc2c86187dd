"""One exported file for all tests that need one, and copies of it with something changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import onnx

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.export import onnx_file


@cache
def content_of_run(run: Path) -> bytes:
    """The ONNX file of a run, made once."""
    return onnx_file(Detector.load(run, "cpu"))


def exported(run: Path, folder: Path) -> Path:
    """The same as a file, in a folder whose name is neither ASCII nor without spaces."""
    path = folder / "ёжик 日本" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(content_of_run(run))
    return path


def with_metadata(path: Path, folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A copy of an exported file whose metadata are `change` of those it had."""
    model = onnx.load(path)
    (entry,) = model.metadata_props
    entry.value = json.dumps(change(json.loads(entry.value)))
    onnx.save(model, folder / "changed.onnx")
    return folder / "changed.onnx"
