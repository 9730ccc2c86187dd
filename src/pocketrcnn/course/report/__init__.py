"""The report of `reproduce`: one HTML file made from `results.json` alone."""
