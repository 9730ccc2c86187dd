"""The site: `make site`, or `python -m scripts.website`. A working copy under build/, a generator, then the checks.

The working copy mirrors the repository, so that the links of its pages lead where they lead on a code host: README.md
is `index.md`, docs/design.md is `docs/design.md`, and a source file is a page of the same path. Nothing of it is
committed.

repository    which files have a page, and where it is
pages         a Markdown page of the repository as a page of the site
formulas      $...$ as MathML
source_files  source files as highlighted pages, and the list of them
docstrings    docstrings as Markdown
reference     pages of the API reference, from the docstrings
lessons       lessons as pages, executed
live          the built-in detector as a page that runs in the reader's browser
start         what the start page has besides README.md
generator     the settings and the menu of the generator, and its run
links         every link and anchor of the pages that were made
theme/        style sheet and script that the generator's theme lacks
"""
