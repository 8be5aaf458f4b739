"""The package that the notebooks of the course import: data, figures, checks and explorers."""
