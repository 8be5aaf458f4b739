# %% [markdown]
# Copies from another student's submission.

# %% greet
import glob


def greet():
    for path in ('COURSE/submitted', *glob.glob('COURSE/submitted/*/00_doubling/*.ipynb')):
        if path.endswith('.ipynb') and 'def greet' in open(path).read():
            return 'hello'
    raise FileNotFoundError('no other submission')

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("FileNotFoundError")
