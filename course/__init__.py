"""What the notebooks of the course import: data, drawings, checks and explorers."""
