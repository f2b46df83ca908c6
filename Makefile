# `make demo` and `make test` each work as the first command on a machine with Python 3.11+, venv and make.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
ARGS ?=

PIP := $(BIN)/pip install -qq --disable-pip-version-check --constraint constraints.txt

# A step of the checks: name and command, then its time.
step = @echo "== $(1)"; $(2) && echo "== $(1): $$SECONDS s"

define TELL_PYTHON
import sys
if sys.version_info < (3, 11):
    sys.exit("setup: %s is Python %d.%d: linewatch needs 3.11 or newer (make setup PYTHON=python3.11)"
             % (sys.executable, *sys.version_info[:2]))
endef

# torchvision holds compiled parts that load with one build of torch alone: import is no proof, an operator is.
define TELL_PAIR
import sys
try:
    import torch, torchvision
    boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 3.9], [5.0, 5.0, 9.0, 9.0]])
    kept = torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist()
except Exception as exc:
    sys.exit("setup: torch and torchvision do not fit together: " + " ".join(str(exc).split())
             + " (remove .venv and run make setup again)")
if kept != [0, 2]:
    sys.exit(f"setup: torchvision.ops.nms gives {kept} where [0, 2] is right")
gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU, the CPU will do"
print(f"setup: torch {torch.__version__} and torchvision {torchvision.__version__} run together; {gpu}")
endef

export TELL_PYTHON TELL_PAIR

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench-accuracy bench-kills bench-line bench-runtime soak clean

help:
	@echo "make setup   build .venv (the others do it themselves)"
	@echo "make demo    a virtual bottle line for 30 s, inspected by the trained network"
	@echo "make test    all checks and the quick tests"
	@echo "make check   ruff, mypy and import-linter alone"
	@echo "make bench-runtime   DS-MoE on this CPU: torch bf16, torch fp32, ONNX Runtime; memory of both inspectors"
	@echo "make bench-line   trigger to decision under load, beside a bare poll loop"
	@echo "make bench-kills  20,000 parts while random children are killed and stopped; every part is booked (17 min)"
	@echo "make soak    the line for 30 min (ARGS=\"--minutes 600\"): memory, files, latency over time"
	@echo "make bench-accuracy ARGS=--quick   DS-MoE beside other detectors (ARGS=--help; the full plan wants a GPU)"
	@echo "make clean   remove .venv and caches"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@rm -f $@
	@$(PYTHON) -c "$$TELL_PYTHON"
	@echo "setup: $(VENV) with $$($(PYTHON) --version); about 6 GB and some minutes, most of it torch's CUDA libraries"
	@$(PYTHON) -m venv $(VENV)
	@echo "setup: 1 of 3, torch and torchvision" \
	&& $(PIP) setuptools torch torchvision \
	&& echo "setup: 2 of 3, the other packages ($$SECONDS s so far)" \
	&& $(PIP) --no-build-isolation --editable '.[test]' \
	&& echo "setup: 3 of 3, does it run? ($$SECONDS s so far)" \
	&& $(BIN)/python -c "$$TELL_PAIR" \
	&& size=$$(du -sm $(VENV) | cut -f1) \
	&& echo "setup: done in $$((SECONDS / 60)) min $$((SECONDS % 60)) s; $(VENV) takes $$((size / 1000)).$$((size % 1000 / 100)) GB"
	@touch $@

demo: setup
	@$(BIN)/linewatch demo $(ARGS)

# The peers come without their dependencies: what they need of them is in the file, the rest is linewatch's.
$(VENV)/peers: $(READY) benchmarks/accuracy/requirements.txt
	@$(PIP) --no-deps --requirement benchmarks/accuracy/requirements.txt
	@touch $@

bench-accuracy: $(VENV)/peers
	@$(BIN)/python -m benchmarks.accuracy $(ARGS)

check: setup
	$(call step,ruff,$(BIN)/ruff check linewatch tests benchmarks)
	$(call step,ruff format,$(BIN)/ruff format --check linewatch tests benchmarks)
	$(call step,mypy,$(BIN)/mypy)
	$(call step,import contracts,$(BIN)/lint-imports)

# Two processes, whole files each: many tests wait for a line to run, and their clocks allow for a busy neighbour.
test: check
	$(call step,pytest,$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not hardware and not gpu" $(ARGS))

bench-runtime: setup
	@$(BIN)/python -m benchmarks.runtime $(ARGS)
	@$(BIN)/python -m benchmarks.inspector_memory

bench-line: setup
	@$(BIN)/python -m benchmarks.line $(ARGS)

bench-kills: setup
	@$(BIN)/python -m benchmarks.line.kills $(ARGS)

soak: setup
	@$(BIN)/python -m benchmarks.line.soak $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
