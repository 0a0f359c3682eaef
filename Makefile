# Everything starts here. A step leaves a stamp in its virtual environment when it has
# succeeded, so any of this may be interrupted and run again.

TRIPLET  ?= 3
EPISODES ?= 10
POLICY   ?=
SEED     ?=
REALTIME ?=
OUT      ?=
ARGS     ?=
TEACHERS ?=
CUDA     ?= 1
PYTHON   ?= python3 python3.12 python3.11

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

CELL    := .venv
TRAINER := .venv-trainer
LOCKS   := config/locks

# How every process of the cell starts: a shared-memory segment that holds camera frames,
# no traffic outside this machine.
export FASTDDS_DEFAULT_PROFILES_FILE ?= $(CURDIR)/config/fastdds.xml
export FASTRTPS_DEFAULT_PROFILES_FILE ?= $(FASTDDS_DEFAULT_PROFILES_FILE)
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST

.PHONY: help stack test stalls lives faults test-trainer lint format bench reaction soak devices \
  train lock clean

help:  ## Show this list
	@echo 'make TARGET [VARIABLE=value ...]'
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 16
	@echo 'Variables of make stack:'
	@echo '  TRIPLET=3     objects, 1 to 5; several as TRIPLET=1,4'
	@echo '  EPISODES=10   how many episodes'
	@echo '  POLICY=FILE   an .onnx policy; default: the one in models/'
	@echo '  SEED=0        repeats a session exactly'
	@echo '  REALTIME=1    run on the clock on the wall, not as fast as possible'
	@echo '  OUT=DIR       where sessions are written; default: sessions/'
	@echo 'Variables of bench, train and test: ARGS="..." is passed on'
	@echo '  TEACHERS=DIR  for bench: the released policies, see models/README.md'
	@echo 'Variables of the set-up: PYTHON=/path/to/python3.12'
	@echo '  CUDA=0        leave the CUDA libraries out of the trainer (where pip finds a CPU torch)'

stack: $(CELL)/.done/ready  ## Run a stacking session in the simulated cell
	@$(CELL)/bin/chef session --triplet $(TRIPLET) --episodes $(EPISODES) \
	  $(if $(POLICY),--policy '$(POLICY)') $(if $(SEED),--seed $(SEED)) \
	  $(if $(REALTIME),--realtime) $(if $(OUT),--out '$(OUT)') $(ARGS)

# Two files at a time; the last -n counts, and -n0 is one after the other in one process.
PYTEST := -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: $(CELL)/.done/dev  ## Run all tests, two at a time (ARGS=-n4: four)
	@$(CELL)/bin/python $(PYTEST) $(ARGS)

stalls: $(CELL)/.done/dev  ## Run all tests while their processes freeze for 0.8 s now and then
	@$(CELL)/bin/python test/stalls.py -- $(CELL)/bin/python $(PYTEST) $(ARGS)

lives: $(CELL)/.done/dev  ## Test the safety core through 10 000 random lives of a cell (3 minutes)
	@$(CELL)/bin/python -m pytest -o timeout=1800 --hypothesis-profile=lives test/safety/test_lives.py $(ARGS)

faults: $(CELL)/.done/dev  ## Break a running cell in every way of docs/faults.md (3 minutes)
	@$(CELL)/bin/python -m pytest -m 'slow or not slow' test/safety $(ARGS)

test-trainer: $(TRAINER)/.done/dev  ## Run the trainer's tests with torch; make test has none
	@$(TRAINER)/bin/python $(PYTEST) src/chef_trainer/test $(ARGS)

lint: $(CELL)/.done/dev  ## Check style, types and which room imports which
	$(CELL)/bin/ruff check
	$(CELL)/bin/ruff format --check
	$(CELL)/bin/mypy
	$(CELL)/bin/hadolint docker/*.Dockerfile
	$(CELL)/bin/python -m pytest -q test/test_rooms.py

format: $(CELL)/.done/dev  ## Bring the code into style
	$(CELL)/bin/ruff check --fix
	$(CELL)/bin/ruff format

bench: $(CELL)/.done/ready  ## Measure speed and fidelity of the simulated cell
	@$(CELL)/bin/python -m chef_cell.bench.speed $(ARGS)
	@$(if $(TEACHERS),$(CELL)/bin/python -m chef_cell.bench.fidelity --teachers '$(TEACHERS)' --processes 2,\
	  echo 'Fidelity is not measured without TEACHERS=DIR, see models/README.md')

reaction: $(CELL)/.done/ready  ## Measure how fast the arm stops, in real time under full load (15 minutes)
	@$(CELL)/bin/python -m chef_cell.bench.reaction $(ARGS)

soak: $(CELL)/.done/ready  ## Measure memory, period and losses over 500 episodes (15 minutes)
	@$(CELL)/bin/python -m chef_cell.bench.soak $(ARGS)

devices: $(CELL)/.done/devices  ## Install what the drivers of a real cell need (400 MB)

train: $(TRAINER)/.done/ready  ## Train a policy, in a virtual environment of its own
	@$(TRAINER)/bin/chef-train $(ARGS)

clean:  ## Remove the virtual environments and caches; sessions stay
	rm -rf $(CELL) $(TRAINER) .pytest_cache .ruff_cache .mypy_cache .hypothesis

lock: $(CELL)/.done/python  ## Choose the newest versions for the lock files (with Python 3.11)
	@lock() { $(CURDIR)/$(CELL)/bin/python ../setup/lock.py "$$@"; }; cd $(LOCKS); \
	lock ros.in ros.txt; lock cell.in cell.txt ros.txt; lock devices.in devices.txt ros.txt cell.txt; \
	lock dev.in dev.txt ros.txt cell.txt devices.txt; \
	lock trainer.in trainer.txt

# --- set-up ------------------------------------------------------------------------

INTERFACES := intera_core_msgs chef_interfaces
INSTALL := config/setup/install.sh

# A virtual environment can't be moved: one that was made elsewhere is made again.
moved = $(filter-out $(CURDIR),$(file < $(1)/.done/python))
.PHONY: $(foreach venv,$(CELL) $(TRAINER),$(if $(call moved,$(venv)),$(venv)/.done/python))

$(CELL)/.done/python $(TRAINER)/.done/python: %/.done/python:
	@python=$$(config/setup/system.sh $(PYTHON)); \
	echo "Making $* with $$python (10 s)"; \
	"$$python" -m venv --clear $*
	@mkdir -p $(@D) && echo '$(CURDIR)' > $@

$(CELL)/.done/ros: $(LOCKS)/ros.txt config/setup/repair_wheels.py $(CELL)/.done/python
	@echo 'Installing ROS 2 (1 minute)'
	@$(INSTALL) $(CELL) $<
	@$(CELL)/bin/python config/setup/repair_wheels.py
	@touch $@

$(CELL)/.done/cell: $(LOCKS)/cell.txt $(CELL)/.done/ros
	@echo 'Installing MuJoCo, ONNX Runtime and the rest of the cell (1 minute)'
	@$(INSTALL) $(CELL) $<
	@touch $@

$(CELL)/.done/devices: $(LOCKS)/devices.txt $(CELL)/.done/cell | $(CELL)/.done/ready
	@echo 'Installing what drivers of a real cell need (20 s)'
	@$(INSTALL) $(CELL) $<
	@touch $@

$(CELL)/.done/dev: $(LOCKS)/dev.txt $(CELL)/.done/devices
	@echo 'Installing what the tests need (20 s)'
	@$(INSTALL) $(CELL) $<
	@touch $@

define interface-rule
$(CELL)/.done/$(1): $(shell find src/$(1) -type f) $(CELL)/.done/ros
	@echo 'Building $(1) (30 s)'
	@config/setup/build_interfaces.sh $(CELL) src/$(1)
	@touch $$@
endef
$(foreach package,$(INTERFACES),$(eval $(call interface-rule,$(package))))

$(CELL)/.done/ready: setup.py src/chef_trainer/setup.py src/chef_trainer/pyproject.toml \
    $(CELL)/.done/cell $(INTERFACES:%=$(CELL)/.done/%)
	@echo 'Installing chef_cell and chef_trainer (5 s)'
	@$(CELL)/bin/python -m pip install -q --no-deps --no-build-isolation \
	  -e src/chef_trainer -e .
	@touch $@

$(TRAINER)/.done/ready: $(LOCKS)/trainer.txt setup.py src/chef_trainer/setup.py \
    src/chef_trainer/pyproject.toml $(TRAINER)/.done/python
	@echo 'Installing torch and the rest of the trainer ($(if $(filter 0,$(CUDA)),1 minute,3 GB, 5 to 10 minutes))'
	@grep -vE '$(if $(filter 0,$(CUDA)),^(nvidia|cuda|triton)-?.*==,^#)' $< > $(TRAINER)/trainer.txt
	@$(INSTALL) $(TRAINER) $(TRAINER)/trainer.txt
	@$(TRAINER)/bin/python -m pip install -q --no-deps --no-build-isolation \
	  -e src/chef_trainer -e .
	@touch $@

$(TRAINER)/.done/dev: $(LOCKS)/dev.txt $(TRAINER)/.done/ready
	@echo 'Installing what the tests need (20 s)'
	@$(INSTALL) $(TRAINER) $<
	@touch $@
