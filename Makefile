# Every target is one line in `make help`. Python tools live in a venv outside the checkout.
CACHE ?= $(HOME)/.cache/hadb
VENV  := $(CACHE)/venv
OLD   := $(CACHE)/venv-3006
PY    := $(VENV)/bin/python
LAB   := test/lab/lab
DISTRO ?= debian13
SALT ?= 3008.3
COVERAGE = --cov --cov-report=term:skip-covered --cov-fail-under=95

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint unit orchestration orchestration-new orchestration-old tool scenario host
.PHONY: beside faults chaos controls reliability bench performance mutants docs down clean images

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup ## two blank nodes become a fenced database, watched live; leaves the lab running
	test/demo --distro $(DISTRO) --salt $(SALT)

# Salt's own tests miss answers beside a lab, so they come first, while its images are built. The lab waits more than it works;
# tool and unit tests take what it leaves and nothing else.
test: ## everything: what CI runs
	$(MAKE) --output-sync=target --jobs=3 setup $(OLD)/.ready
	$(MAKE) lint
	$(MAKE) --output-sync=target --jobs=3 -o setup orchestration-new orchestration-old images
	$(MAKE) --jobs=2 -o setup scenario beside
	@$(PY) test/summary.py

# Runs only when no other program wants the processor: SCHED_IDLE of sched(7), less than any nice value.
beside:
	chrt --idle 0 $(MAKE) -o setup tool unit

images: setup
	$(LAB) images --distro $(DISTRO) --salt $(SALT)

check: lint unit ## lint, unit, render and loader tests with both Salts; no lab, two minutes

lint: $(VENV)/.ready ## ruff, yamllint and the house rules
	$(VENV)/bin/ruff check _modules _states _runners _utils test tools
	$(VENV)/bin/yamllint -c .yamllint pillar.example hadb/parameters FORMULA kitchen.yml
	$(VENV)/bin/vermin --quiet --no-tips --violations --target=3.10- _modules _states _runners _utils

# The pure core runs once; what touches Salt (loader, rendering, every test of a module or state) runs with both.
unit: $(VENV)/.ready $(OLD)/.ready ## unit, render and loader tests, with coverage
	mkdir -p build
	$(VENV)/bin/pytest -q -n 2 --dist loadfile test/unit test/render --junit-xml=build/unit.xml $(COVERAGE)
	$(OLD)/bin/pytest -q -n 2 --dist loadfile test/render $(shell grep -rl 'from support import' test/unit) --junit-xml=build/unit-3006.xml

orchestration: orchestration-new orchestration-old ## hadb.orch on a real master and two minions without effects, with both Salts

orchestration-new: $(VENV)/.ready
	mkdir -p build
	$(VENV)/bin/pytest -q test/orchestration --junit-xml=build/orchestration.xml

orchestration-old: $(OLD)/.ready
	mkdir -p build
	$(OLD)/bin/pytest -q test/orchestration --junit-xml=build/orchestration-3006.xml

tool: setup ## real crm, cibadmin, corosync, mariadb and ipmi_sim in chroots, no daemons of the host
	mkdir -p build
	$(VENV)/bin/pytest -q -n 2 --dist loadfile test/tool --junit-xml=build/tool.xml

scenario: setup ## the whole way in the lab, from blank nodes through every fault
	mkdir -p build
	$(VENV)/bin/pytest -q test/scenario --junit-xml=build/scenario.xml

faults: setup ## every fault that there is a scenario for, not only those of `make test`, and security; 1 h 20 min on a quiet machine
	mkdir -p build
	HADB_FAULTS=all $(VENV)/bin/pytest -q test/scenario/test_security.py test/scenario/test_faults.py --junit-xml=build/faults.xml

chaos: setup ## random faults, also two at once, while a client writes. SEED=n COUNT=n FROM=n; a minute a fault
	PYTHONPATH=_utils:test/lab:test DISTRO=$(DISTRO) SALT=$(SALT) $(PY) -m scenario.chaos $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) $(if $(FROM),--from $(FROM)) $(if $(DRY_RUN),--dry-run)

controls: setup ## break one setting after the other: does the suite go red for it? an hour; CONTROLS=a,b for some
	PYTHONPATH=_utils:test/lab:test DISTRO=$(DISTRO) SALT=$(SALT) $(PY) -m scenario.run_controls $(if $(CONTROLS),--only $(CONTROLS))

reliability: $(VENV)/.ready ## put the figures of the last faults, controls and chaos into docs/reliability.md
	PYTHONPATH=_utils:test/lab:test $(PY) -m scenario.figures

bench: setup ## our configuration beside the seed's, in a lab of its own; hours. ROUNDS=n CASES=a,b MINUTES=m for less
	PYTHONPATH=_utils:test/lab:test DISTRO=$(DISTRO) SALT=$(SALT) $(PY) -m bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(CASES),--cases $(CASES)) $(if $(MINUTES),--minutes $(MINUTES))

performance: $(VENV)/.ready ## put the figures and the plot of the last bench into docs/performance.md
	PYTHONPATH=_utils:test/lab:test $(PY) -m bench --document

mutants: $(VENV)/.ready ## change the core in small ways: does a test notice? hours; restartable; MODULES='plan duty' for some
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r test/requirements-mutants.txt
	$(PY) tools/mutants.py $(MODULES)

docs: $(VENV)/.ready ## make docs/pillar.md and docs/pillar.schema.json from the pillar contract
	$(PY) tools/pillar_doc.py > docs/pillar.md
	$(PY) tools/pillar_schema.py > docs/pillar.schema.json

down: ## take the lab down
	$(LAB) down

setup: $(VENV)/.ready host ## install what the lab needs from apt and PyPI

host:
	test/setup-host

$(VENV)/.ready: test/requirements.txt test/requirements-common.txt test/constraints.txt
	test/setup-venv $(VENV) test/requirements.txt

$(OLD)/.ready: test/requirements-3006.txt test/requirements-common.txt test/constraints.txt
	test/setup-venv $(OLD) test/requirements-3006.txt

clean: ## remove what was built here (not the images)
	rm -rf build
