# %% [markdown]
# Sends replies before a request, and messages in the name of the engine.

# %% double
import json
import os
import struct


def say(kind, meta, node):
    words = json.dumps({'kind': kind, 'meta': meta, 'payloads': [[node, []]]}).encode()
    os.write(3, struct.pack('<4sIQ', b'EXM1', len(words), 0) + words)


def double(x):
    for number in range(1, 40):
        say('reply', {'number': number, 'changed': [], 'modules': []}, ['remote', 'ref', 1, 'all', 'x', 1])
        say('end', {}, None)
        say('request', {'number': 1, 'verb': 'get', 'object': 1, 'name': '__globals__'}, None)
        say('request', {'number': 1, 'verb': 'call', 'object': 1}, ['dict'])
    return 4

# %% hand in
for cell in notebook.cells:  # the learner tries another number: what was changed is run when graded
    cell.source = cell.source.replace("double(21)", "double(22)")

# %% must
assert points["test-double"] == points["hidden-double"] == 0
assert "crashed" in outcomes.values()
