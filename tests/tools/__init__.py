"""Longer proofs, for a developer to run: `make answers`, `seeds`, `kernels` and `load`."""
