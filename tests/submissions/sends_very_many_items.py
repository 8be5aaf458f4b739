# %% [markdown]
# Messages of few bytes that take their reader gigabytes, past what cuts large ones.

# %% double
from IPython import get_ipython
from jupyter_client.session import Session

kernel = get_ipython().kernel
content = {"data": {"application/x+json": [{}] * 1_600_000}, "metadata": {}}
for _ in range(6):
    message = kernel.session.msg("display_data", content, parent=kernel.get_parent("shell"))
    frames = Session.serialize(kernel.session, message, b"display_data")
    kernel.iopub_socket.send_multipart(frames)


def double(x):
    return 2 * x

# %% must
assert points["test-greet"] == 4
assert points["test-double"] == points["hidden-double"] == 0
assert "The kernel died" in messages["hidden-double"], messages
