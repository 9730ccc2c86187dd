# Everything works on a machine with Python 3.11 or later, its venv module and make. A second call installs nothing again.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

# Of the packages and of what builds them: pip reads the first name, from 25.3 on the second for builds.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt

.PHONY: help reproduce test lint types tests lessons notebooks slides stick site scale pictures sbom format clean

help:
	@echo "make reproduce   train every experiment and write reproduction/report.html (ARGS='--full' and others)"
	@echo "make test        lint, types and tests; CI runs this, make lessons, make site and make scale"
	@echo "make lessons     the lessons run, and their exercises are tested without and with the solutions"
	@echo "make notebooks   write each lesson as a notebook beside it (ARGS='03' for one)"
	@echo "make slides      write build/slides, each lesson as slides (ARGS='03' for one)"
	@echo "make stick       all that a class needs to install without a network (ARGS=FOLDER on a USB stick)"
	@echo "make site        write build/site, the documentation to read in a browser, and check each page"
	@echo "make scale       tests with Ray, Dask and several processes for longer; installs them (0.6 GB)"
	@echo "make pictures    draw the pictures of README.md and docs again (ARGS='--nuclei RUN' and others)"
	@echo "make sbom        write sbom.json, the bill of materials of an installation with [export]"
	@echo "make format      put the code into the project's format"
	@echo "make clean       remove the virtual environment"

reproduce: .venv/installed
	$(BIN)/pocketrcnn reproduce $(ARGS)

test: lint types tests

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/mypy

tests: .venv/installed-dev
	$(BIN)/pytest --numprocesses 2 --dist loadfile

lessons: .venv/installed-dev
	$(BIN)/pytest lessons/tests --numprocesses 2 --timeout 900

notebooks: .venv/installed-lessons
	$(BIN)/python -m lessons.making notebooks $(ARGS)

slides: .venv/installed-dev
	$(BIN)/python -m lessons.making slides $(ARGS)

stick: .venv/installed
	test -n "$(ARGS)"  # make stick ARGS=/media/usb/pocket-rcnn
	$(BIN)/python scripts/stick $(ARGS)

site: .venv/installed-site
	$(BIN)/python -m scripts.website
	$(BIN)/pytest --numprocesses 2 tests/website/made_site.py

scale: .venv/installed-scale
	$(BIN)/pytest tests/test_supply_chain.py tests/scale/scale_*.py

pictures: .venv/installed
	$(BIN)/python scripts/pictures $(ARGS)

sbom:
	$(PYTHON) -m venv --clear build/sbom/installed
	build/sbom/installed/bin/python -m pip install --quiet --disable-pip-version-check '.[export]'
	$(PYTHON) -m venv --clear build/sbom/tool
	build/sbom/tool/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom
	build/sbom/tool/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type library --output-reproducible \
	    --output-file sbom.json build/sbom/installed/bin/python

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

.venv/installed-lessons: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lessons]'
	touch $@

.venv/installed-site: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[site]'
	touch $@

.venv/installed-scale: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[scale]'
	touch $@

clean:
	rm -rf .venv
