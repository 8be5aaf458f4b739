# %% [markdown]
# # Probe

# %% nbgrader={"grade_id": "setup", "locked": true}
import numpy as np
from course import check

# %% nbgrader={"grade_id": "double", "solution": true}
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-double", "grade": true, "locked": true, "points": 1}
check.equal(double(2), 4, "double(2)")

# %%
print(double(4))

# %% nbgrader={"grade_id": "hidden-double", "grade": true, "locked": true, "points": 2}
# Also: 3
### BEGIN HIDDEN TESTS
check.equal(double(3), 6, "double(3)")
### END HIDDEN TESTS
