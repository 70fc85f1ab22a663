# CI, README and people use these targets and nothing else.
# demo, up and down take PROVIDER=openstack: servers of a real OpenStack on this machine instead of nspawn guests of ours.
.PHONY: demo up down check test test-openstack soak bench format lint unit guests host clean deploy undeploy

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
NODE := node_modules/.ready
CLIENTS := .local/clients/.ready
KEYSTONE := .local/keystone/.ready
SCHEMATHESIS := .local/schemathesis/.ready
CHECKOV := .local/checkov/.ready
ASL := $(wildcard statemachines/*.asl.json)
ALONE := tests/crash tests/embedded tests/checkov
HOST_PACKAGES := systemd-container mmdebstrap nftables iproute2 xfsprogs util-linux e2fsprogs

demo: host $(READY)
	@$(PYTHON) -m local.demo $(PROVIDER)

up: host $(READY)
	@$(PYTHON) -m local.service up $(PROVIDER)

down: $(READY)
	@$(PYTHON) -m local.service down $(PROVIDER)

test: host check guests

# All that needs neither root nor Linux.
check: $(READY) $(NODE) lint unit

lint: $(READY) $(NODE)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PYTHON) local/format_asl.py --check $(ASL)
	node local/check_asl.js $(ASL)

unit: $(READY) $(CLIENTS) $(KEYSTONE) $(SCHEMATHESIS) $(CHECKOV)
	$(VENV)/bin/pytest -m "not guests and not openstack" -n 2 $(ALONE:%=--ignore %) --cov --cov-report=term:skip-covered
	$(VENV)/bin/pytest -m "not guests and not openstack" -n 2 tests/crash
	$(VENV)/bin/pytest -m "not guests and not openstack" -n 2 --dist loadgroup tests/embedded tests/checkov

# What needs real guests: root and Linux, or one clear sentence.
guests: $(READY) $(CLIENTS)
	@$(PYTHON) -m local.machine
	$(VENV)/bin/pytest -m guests

# What needs a real OpenStack: started on this machine if it does not run, then as it was found (docs/openstack.md).
test-openstack: host $(READY)
	@$(PYTHON) -m local.machine
	$(VENV)/bin/pytest -m openstack

# The long walk: real guests cut at many more points. Half an hour.
soak: host $(READY)
	CRASH_SAMPLE=60 $(VENV)/bin/pytest -m guests tests/crash

# Figures against the bare alternative, into docs/benchmarks.md; best on a quiet machine.
bench: host $(READY)
	$(PYTHON) -m benchmarks

# Into the AWS account of your credentials, by deploy/$(STAGE).env: docs/deploy.md.
deploy: $(READY)
	@$(PYTHON) -m local.deploy "$(STAGE)"

undeploy: $(READY)
	@$(PYTHON) -m local.deploy "$(STAGE)" --delete

format: $(READY)
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .
	$(PYTHON) local/format_asl.py $(ASL)

host:
	@.ci/host-packages $(HOST_PACKAGES)

$(READY): requirements.txt requirements-dev.txt
	@echo "Installing the Python environment in $(VENV)"
	@python3 -m venv --clear $(VENV)
	@$(VENV)/bin/pip install -qq --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@

$(NODE): package.json package-lock.json
	command -v npm >/dev/null || .ci/host-packages nodejs npm
	npm ci --no-fund --no-audit --silent
	touch $@

# What tests run beside ours, in Python environments of their own: the stock clients, a real Keystone, schemathesis,
# checkov.
.local/%/.ready: tests/%/requirements.txt
	@echo "Installing what tests/$* needs in $(@D)"
	@mkdir -p .local
	@python3 -m venv --clear $(@D)
	@$(@D)/bin/pip install -qq --disable-pip-version-check -r $<
	@touch $@

clean: down
	rm -rf $(VENV) node_modules .local
