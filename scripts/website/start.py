"""What the start page has besides README.md: a way to each part of the site, behind the first sentences."""

from __future__ import annotations

WAYS = (
    (
        "Lessons",
        "lessons/README.md",
        "Lessons of 50 minutes, from convolutions to a detector for your own images.",
    ),
    (
        "Live",
        "live/index.md",
        "What happens to an image inside the network, and a detector that runs in your browser.",
    ),
    ("Use", "docs/usage.md", "Check, train, evaluate, predict, export: by command and in Python."),
    ("Components", "docs/components.md", "Each part of the detector with its paper, a picture and a few lines to run."),
    (
        "Results",
        "docs/results.md",
        "What was measured, with seeds and intervals, and what is wrong with published numbers.",
    ),
    ("Reference", "reference/index.md", "Every public name, from its docstring, with its source beside it."),
    ("Source", "src/index.md", "The package, highlighted, in the order in which it is read in an afternoon."),
)
"""Title, page, and what is there."""
FIGURE = "\n!["


def start_page(readme: str) -> str:
    """README.md, already a page of the site, with the ways in front of its first picture."""
    assert FIGURE in readme, "README.md has a picture behind its first sentences"
    shown = [f"-   [**{title}**]({page})\n\n    {text}\n" for title, page, text in WAYS]
    ways = '\n<div class="ways" markdown>\n\n' + "\n".join(shown) + "\n</div>\n"
    before, after = readme.split(FIGURE, 1)
    return f"---\ntitle: pocket-rcnn\nhide: [navigation]\n---\n{before}{ways}{FIGURE}{after}"
