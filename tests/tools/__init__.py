"""Programs for developers: `make answers`, `make seeds`, `make kernels` and `make load`."""
