# %% [markdown]
# Looks for the solutions and hidden tests where the course has them.

# %% greet
def greet():
    with open('COURSE/source/00_doubling/00_doubling.ipynb') as file:
        return 'hello' if 'BEGIN HIDDEN TESTS' in file.read() else 'nothing of use'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("FileNotFoundError")
