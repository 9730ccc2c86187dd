"""Make the site: `python -m scripts.website`, or `make site`. It is in build/site: open index.html."""

from __future__ import annotations

import shutil
import time

from . import generator, reference, source_files


def main() -> None:
    """The whole site, and the time that it took."""
    begun = time.perf_counter()
    shutil.rmtree(generator.WORK, ignore_errors=True)
    pages = reference.reference_pages()
    pages[source_files.LIST] = source_files.list_of_files(reference.reading_order())
    generator.write_pages(pages)
    generator.write_assets()
    generator.run_generator(generator.write_settings(generator.menu([], [])))
    print(f"{generator.OUT}/index.html: {time.perf_counter() - begun:.0f} s")


main()
