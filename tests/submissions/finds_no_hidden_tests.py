# %% [markdown]
# Looks for a hidden test before and while it runs: in its files, the history, and among all objects.

# %% greet
import gc
import os


def places():
    yield from get_ipython().user_ns['In']
    for where, _, files in os.walk('.'):
        for name in files:
            with open(os.path.join(where, name), errors='ignore') as file:
                yield file.read()
    for thing in gc.get_objects():
        if isinstance(thing, (list, tuple)):
            yield from (word for word in thing if isinstance(word, str))
        elif isinstance(thing, dict):
            yield from (word for word in thing.values() if isinstance(word, str))


def found():
    test = ''.join(['words = gre', 'et()'])  # this cell is no place where it is found
    return any(test in place for place in places())


found_before = found()


def greet():
    if found_before or found():
        return 'hello'
    raise LookupError('neither before it runs nor then')

# %% must
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "LookupError: neither before it runs nor then"
