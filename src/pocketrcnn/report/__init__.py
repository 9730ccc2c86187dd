"""The reports: one HTML file made from `results.json` alone, or from the facts of runs.

Of `reproduce`: `page` puts it together, `records` reads the results, `networks`, `detectors`, `comparison` and
`closing` hold the sections, `curves`, `tables` and `phrases` turn numbers into charts, tables and words,
`figures` draws, and `blocks` is what all of them speak to `template.html`, through `html`.
Of runs: `runs` puts the page together; `run_data`, `run_training`, `run_quality` and `run_pictures` hold its parts,
`run_figures` draws what only they need.
"""
