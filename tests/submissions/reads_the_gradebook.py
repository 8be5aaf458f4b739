# %% [markdown]
# Opens the gradebook, where the hidden tests are too.

# %% greet
import sqlite3


def greet():
    with open('COURSE/gradebook.db', 'rb') as file:
        assert file.read(6) == b'SQLite'
    book = sqlite3.connect('file:COURSE/gradebook.db?mode=ro', uri=True)
    tests = [row[0] for row in book.execute('select source from source_cell')]
    return 'hello' if any('BEGIN HIDDEN TESTS' in test for test in tests) else 'nothing of use'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("FileNotFoundError")
