# `make demo` and `make test` need Python 3.11 or later and make, nothing else.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
BIN := .venv/bin

# Enough for the settings to load: the deployment check reads them and connects to nothing.
PRODUCTION := DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=tiexi.example \
	SECRET_KEY=checked-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ \
	DATABASE_URL=postgresql://owner@db/tiexi APP_DATABASE_URL=postgresql://app@db/tiexi \
	WORKER_DATABASE_URL=postgresql://worker@db/tiexi REDIS_URL=redis://broker/0

.PHONY: demo test lint bench-ledger bench-duplicates bench-near bench-export bench-admin bench-api fuzz-api \
	openapi clean
.DELETE_ON_ERROR:

demo: .venv/.installed ## PORTFOLIO=folder to load, SERVE=0 to stop afterwards
	@PORTFOLIO="$(PORTFOLIO)" SERVE="$(SERVE)" $(BIN)/python manage.py demo

test: .venv/.installed-dev ## ARGS=further arguments for pytest
	@$(BIN)/python -m pytest -n auto --maxprocesses=4 --dist=loadfile $(ARGS)

lint: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench-ledger: .venv/.installed .venv/bench/.installed ## beside django-hordak; ARGS="--rounds 5"
	@$(BIN)/python tests/benchmarks/ledger.py --peer .venv/bench/bin/python $(ARGS)

bench-near: .venv/.installed .venv/bench/.installed ## near matches beside Splink; ARGS="--notes 20000 --seed 7"
	@PYTHONPATH=. $(BIN)/python tests/benchmarks/near.py --peer .venv/bench/bin/python $(ARGS)

bench-export: .venv/.installed ## a million rows beside django-import-export; ARGS="--calc" opens them in LibreOffice
	@PYTHONPATH=. $(BIN)/python tests/benchmarks/export.py $(ARGS)

bench-admin: .venv/.installed ## every admin page over a million deductions; ARGS="--folder DIR" keeps the data
	@PYTHONPATH=. DJANGO_SETTINGS_MODULE=config.settings.dev $(BIN)/python tests/benchmarks/admin.py $(ARGS)

bench-duplicates: .venv/.installed ## the duplicate check beside a plain self-join; ARGS="--notes N --seed N --folder DIR"
	@PYTHONPATH=. DJANGO_SETTINGS_MODULE=config.settings.dev $(BIN)/python tests/benchmarks/duplicates.py $(ARGS)

bench-api: .venv/.installed ## a money post beside a bare Django view, and a list of 10,000; needs wrk
	@PYTHONPATH=. $(BIN)/python tests/benchmarks/interface.py $(ARGS)

fuzz-api: .venv/.installed-dev ## Schemathesis over the served interface; ARGS="--examples N" says how long
	@PYTHONPATH=. $(BIN)/python tests/api/fuzz.py $(ARGS)

openapi: .venv/.installed ## writes the document of the REST interface anew
	@$(BIN)/python manage.py spectacular --validate --fail-on-warn --file config/openapi.yaml

clean: ## removes the embedded servers' data too; running ones stop by themselves
	rm -rf .venv .data artefacts static .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define install
@test -n "$(PYTHON)" || { echo "需要 Python 3.11 及以上（含 venv）/ needs Python 3.11 or later with venv" >&2; exit 1; }
@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
@touch $@
endef

.venv/.installed: requirements.lock
	$(install)

.venv/.installed-dev: requirements-dev.lock
	$(install)

.venv/bench/.installed: requirements-bench.lock .venv/.installed
	$(PYTHON) -m venv --clear .venv/bench
	.venv/bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@
