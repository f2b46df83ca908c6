"""DS-MoE beside other detectors: same pictures, same budget, same evaluation. `python -m benchmarks.accuracy --help`."""
