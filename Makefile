# make serve   set up everything, build the bundled data into a release, serve it on http://127.0.0.1:8000/
# make test    set up and run every check that needs no more than PyPI, npm and Chromium
# make interop what needs more or takes longer: a newcomer's first start from an empty directory; Virtuoso, from Debian:
#                apt-get install --no-install-recommends virtuoso-opensource-7-bin
#                KVGRAPH_SHARED_DATA names the folder with the ROR and CORDIS files, for the walk from download to answer;
#                links by DuckDB and by Spark, which comes from PyPI and needs Java 17 (apt-get install openjdk-17-jre-headless) and 4 GB
# make endurance what takes many minutes; needs KVGRAPH_SHARED_DATA
# Both work in a fresh clone with Python 3.11 or newer, make and access to PyPI and npm; the tests need Chromium as well.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: serve build test interop endurance bench messages setup lock clean

serve: build
	$(BIN)/kvgraph serve --port $(PORT)

build: setup
	$(BIN)/kvgraph build

# As many processes as processors, four at most; the tests of a file stay together and in their order.
test: setup
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

interop: setup $(VENV)/.spark
	$(BIN)/python -m pytest -s -o python_files='interop_*.py' tests/interop

# What takes many minutes: a release on the disk, the quality of links, a busy day of contributors.
endurance: setup
	KVGRAPH_SHARING_SECONDS=300 KVGRAPH_KILLS=50 $(BIN)/python -m pytest -s -o python_files='endurance_*.py interop_sharing.py' tests/interop

bench: setup
	$(BIN)/python -m tests.bench

# Every string of the interface, into the catalogue of LANGUAGE, made or brought up to date; without LANGUAGE into all there are.
# make messages LANGUAGE=fr    (web/translations/README.md)
TRANSLATIONS := web/translations
messages: setup
	$(BIN)/pybabel -q extract --mapping pyproject.toml --keyword N_ --no-wrap --sort-by-file --project kvgraph --output $(TRANSLATIONS)/messages.pot .
	$(if $(LANGUAGE),test -e $(TRANSLATIONS)/$(LANGUAGE)/LC_MESSAGES/messages.po || $(BIN)/pybabel -q init --input-file $(TRANSLATIONS)/messages.pot --output-dir $(TRANSLATIONS) --locale $(LANGUAGE) --no-wrap)
	test -z "$$(ls -d $(TRANSLATIONS)/*/ 2> /dev/null)" || $(BIN)/pybabel -q update --input-file $(TRANSLATIONS)/messages.pot --output-dir $(TRANSLATIONS) --no-wrap

BUNDLES := web/static/bundles/inputs.sha256

setup: $(VENV)/.ready $(BUNDLES)

# The lock names exact versions, our own build tool included: nothing else is downloaded, and never twice. Installing builds
# the npm parts too (hatch_build.py), with the Node on PATH or one from PyPI.
$(VENV)/.ready: pyproject.toml requirements.lock hatch_build.py $(wildcard web/bundles/*.js web/bundles/*.json)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kvgraph needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Made by the installation above; made again if they were thrown away.
$(BUNDLES): | $(VENV)/.ready
	$(BIN)/python hatch_build.py

# Spark, which only `kvgraph link --engine spark` needs.
$(VENV)/.spark: requirements-spark.lock | $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-spark.lock
	touch $@

lock: setup
	$(BIN)/python -m pip freeze --exclude-editable | grep -v -e ^pyspark= -e ^py4j= > requirements.lock

clean:
	rm -rf $(VENV) var dist web/static/bundles
