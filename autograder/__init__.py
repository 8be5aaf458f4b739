"""What an instructor runs: build the lessons, grade submissions, report the marks."""
