# %% [markdown]
# # Doubling
#
# The smallest possible lesson, for the benchmark and the tests of the grader. It imports nothing
# that takes time.

# %% nbgrader={"grade_id": "setup", "locked": true}
import sys


# %% nbgrader={"grade_id": "double", "solution": true}
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% nbgrader={"grade_id": "test-double", "grade": true, "locked": true, "points": 1}
found = double(2)
assert found == 4, f"double(2) is {found}, 4 was expected."

# %%
# A cell that asks for nothing.
answer = double(21)

# %% nbgrader={"grade_id": "hidden-double", "grade": true, "locked": true, "points": 2}
# Also checked: other numbers.
### BEGIN HIDDEN TESTS
found = double(3)
assert found == 6, f"double(3) is {found}, 6 was expected. Is it really doubled?"
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "greet", "solution": true}
def greet():
    """A greeting."""
    ### BEGIN SOLUTION
    return "hello"
    ### END SOLUTION


# %% nbgrader={"grade_id": "test-greet", "grade": true, "locked": true, "points": 4}
# Also checked: what is said, for a part of the marks.
### BEGIN HIDDEN TESTS
words = greet()
assert isinstance(words, str), "greet() should return words."
mark = {"hello": 4, "hi": 1.5, "nothing": float("nan"), "less": -1, "more": 5}[words]
mark
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "essay", "grade": true, "solution": true, "points": 3}
# Why two?
### BEGIN SOLUTION
# Because one is too few.
### END SOLUTION
