"""Coverage-guided fuzzing of what reads strangers' bytes; `make test` has the same properties under hypothesis."""
