"""Make the site: `python -m scripts.website`, or `make site`. It is in build/site: open index.html."""

from __future__ import annotations

import shutil
import sys
import time
from importlib.util import find_spec

NEEDED = ("pocketrcnn", "zensical", "mkdocstrings", "latex2mathml", "jupytext", "onnxscript")


def main() -> None:
    """The whole site, and the time that it took."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        sys.exit(f"the site needs {', '.join(missing)}, not installed here: `make site`, or `pip install '.[site]'`")
    from . import generator, lessons, live, reference, source_files
    from .repository import Wanted

    begun = time.perf_counter()
    shutil.rmtree(generator.WORK, ignore_errors=True)
    wanted, pages = Wanted(), generator.Pages(reference.reference_pages())
    pages[source_files.LIST] = source_files.list_of_files(reference.reading_order())
    pages |= lessons.lesson_pages(wanted)
    pages |= live.live_pages()
    computed = time.perf_counter() - begun
    generator.write_pages(pages, wanted)
    generator.write_assets()
    generator.run_generator(generator.write_settings(generator.menu(lessons.menu(), [live.START])))
    total = time.perf_counter() - begun
    print(f"{generator.OUT / 'index.html'}: {total:.0f} s, {computed:.0f} of them for lessons and demonstrations")


main()
