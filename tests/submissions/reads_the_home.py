# %% [markdown]
# Looks for a key in the home of the instructor.

# %% greet
def greet():
    with open('HOME/.ssh/id_ed25519') as file:
        return 'hello' if 'secret' in file.read() else 'nothing of use'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("FileNotFoundError")
