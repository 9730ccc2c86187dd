"""A file of results of `benchmarks/peers/run.py`, made up, without training anything."""

from __future__ import annotations

from typing import Any

HARDWARE = {
    "device": "cpu",
    "processor": "Some Processor",
    "cores": 2,
    "threads": 2,
    "memory_gb": 8.0,
    "system": "Linux x86_64",
}


def detector(row: str, number: int, score: float, **more: Any) -> dict[str, Any]:
    """A round of a detector."""
    return {
        "row": row,
        "round": number,
        "seed": number - 1,
        "date": f"2026-11-2{number}T10:00:00Z",
        "minutes": 5.0,
        "side": 256,
        "iterations": 1000 * number,
        "seconds": 300.0,
        "AP50": score,
        "AP": score / 2,
        "AP75": score / 4,
        "points": [{"minutes": 2.5, "AP50": score / 2}, {"minutes": 5.0, "AP50": score}],
        "milliseconds": {"torch": 20.0},
        "threads": 2,
        "versions": {"torch": "2.14.1", "pillow": "13.0.0"},
        **more,
    }


def classifier(row: str, passed: dict[str, float] | None, **more: Any) -> dict[str, Any]:
    """A round of B1."""
    return {
        "row": row,
        "round": 1,
        "date": "2026-11-21T09:00:00Z",
        "curve": [[26, 4.0, 0.7]],
        "passed": passed,
        "accuracy": 0.7012,
        "iterations": 26,
        "versions": {"torch": "2.14.1"},
        **more,
    }


def results(**changes: Any) -> dict[str, Any]:
    """Two rounds of two detectors on nuclei, and both ways to train B1."""
    ours = {"milliseconds": {"torch": 12.0, "onnx": 3.0}, "precision": "bfloat16", "versions": {"pocketrcnn": "0.1.0"}}
    return {
        "schema": 1,
        "quick": False,
        "minutes": {"b1": 20.0, "nuclei": 5.0, "scenes": 10.0},
        "hardware": HARDWARE,
        "created": "2026-11-21T09:00:00Z",
        "data": {"nuclei": {"side": 256}},
        "rounds": [
            classifier("b1/ours", {"iterations": 104, "seconds": 6.4}, precision="bfloat16", curve=[[104, 6.4, 0.7]]),
            classifier("b1/loop", None),
            *(detector("nuclei/ours", number, score, **ours) for number, score in ((1, 0.9), (2, 0.92))),
            *(detector("nuclei/yolo26n", number, score) for number, score in ((1, 0.8), (2, 0.8))),
        ],
    } | changes
