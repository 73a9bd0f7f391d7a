# Sphinx: what a newcomer types. `make help` lists the targets.
PYTHON := .venv/bin/python
MANAGE := $(PYTHON) manage.py
SHELL := /bin/bash

.PHONY: help demo guide screenshots serve test check bench sbom lock messages clean

help:            ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo:            ## the whole job on a demo shop, once; safe to run again
	@.ci/setup runtime
	@$(MANAGE) migrate --noinput -v 0
	@$(MANAGE) demo

guide:           ## docs/guide as a site, in var/guide; the site shows it under /aide/
	@.ci/setup runtime
	@$(MANAGE) build_guide

screenshots:     ## the guide's pictures, taken anew from the demo
	@.ci/setup tests
	@$(PYTHON) -m tests.support.screenshots

serve:           ## the site on http://127.0.0.1:8000/, worker and scheduler included
	@.ci/setup runtime
	@$(MANAGE) migrate --noinput -v 0
	@$(MANAGE) build_guide --if-stale
	@$(MANAGE) serve

test:            ## every test, on PostgreSQL then on SQLite
	@.ci/setup tests
	@.ci/test

check:           ## style, types, import contracts, migrations, translations, requirements
	@.ci/setup tests
	@.ci/check

bench:           ## benchmarks as ratios, also in var/bench.json
	@.ci/setup tests
	@.ci/with-postgres $(PYTHON) -m tests.bench

sbom:            ## what the product is made of, as CycloneDX, in var/sbom.json
	@.ci/setup tests
	@mkdir -p var && .venv/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml \
	  --output-reproducible --of JSON -o var/sbom.json && echo var/sbom.json

lock:            ## resolve requirements*.in into requirements*.txt
	@for name in requirements requirements-demo requirements-dev; do \
	  .venv/bin/uv pip compile --quiet --python-version 3.11 --no-header $$name.in -o $$name.txt; done

messages:        ## gather translatable texts into locale/
	@$(PYTHON) manage.py makemessages -l en --no-obsolete --no-location --no-wrap -v 0 \
	  --ignore .venv --ignore var --ignore docs --ignore tests --ignore staticfiles
	@for po in $$(find locale -name '*.po'); do msgfmt -o $${po%.po}.mo $$po; done

clean:           ## forget the embedded database, documents and the demo
	rm -rf var staticfiles
