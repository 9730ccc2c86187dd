"""An evaluation from a file: as it was written, or refused before anything is drawn from it."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import numpy as np
import pytest

from pocketrcnn.data.boxes import Boxes
from pocketrcnn.evaluation.average_precision import evaluate
from pocketrcnn.evaluation.form import evaluation_of


def written(objects: int = 2) -> dict[str, Any]:
    """An evaluation as a file holds it."""
    truth = Boxes(np.array([[1, 1, 9, 9], [20, 20, 40, 40]])[:objects].reshape(-1, 4), [0, 1][:objects])
    found = Boxes(np.array([[1, 1, 9, 10], [30, 1, 39, 9]]), [0, 0], [0.9, 0.3])
    evaluation = evaluate([truth], [found], ["cat", "dog"], ["a.png"], data="x", split="val")
    return json.loads(json.dumps(vars(evaluation)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("objects", [0, 2])
def test_what_was_written_is_read(objects: int) -> None:
    content = written(objects)
    assert json.loads(json.dumps(vars(evaluation_of(content)))) == content


CHANGES = {
    "best": {"threshold": 1},
    "used": 3,
    "overall": {"AP": "x"},
    "sizes": [1],
    "classes": [],
    "counts": {},
    "precision_recall": {"recall": [], "overall": [1], "classes": [None, None]},
    "tide": {"AP50": 1.0, "gain": {}, "errors": {}},
    "images": [{"name": "a.png"}],
    "thresholds": {"threshold": [1], "precision": [], "recall": [], "f1": []},
    "confusion": {"names": ["cat", "dog", "background"], "matrix": [[1], [2], [3]], "threshold": 0.5},
    "max_detections": None,
    "split": 7,
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_form_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        evaluation_of(written() | {name: CHANGES[name]})


def test_whatever_is_taken_out_is_missed() -> None:
    """Every key but those that nothing is drawn from."""
    whole = written()
    free = {"crowds", "from", "below", "thresholds"}

    def without(tree: Any, *path: Any) -> None:
        items = (
            list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
        )
        for key, value in items:
            if isinstance(tree, dict) and key not in free and path != ("tide", "errors"):
                changed = copy.deepcopy(whole)
                node = changed
                for step in path:
                    node = node[step]
                del node[key]
                with pytest.raises(msgspec.ValidationError):
                    evaluation_of(changed)
            without(value, *path, key)

    without(whole)
