"""DS-MoE beside other detectors: same pictures, budget and evaluation. `python -m benchmarks.accuracy --help`."""
