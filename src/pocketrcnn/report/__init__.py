"""The report: one HTML file made from `results.json` alone.

`page` puts it together, `records` reads the results, `networks`, `detectors`, `comparison` and `closing` hold the
sections, `curves`, `tables` and `phrases` turn numbers into charts, tables and words, `figures` draws, and `blocks`
is what all of them speak to `template.html`.
"""

from __future__ import annotations

from .page import render, write_report

__all__ = ["render", "write_report"]
