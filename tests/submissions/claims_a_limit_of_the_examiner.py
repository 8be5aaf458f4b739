# %% [markdown]
# Says in its own words that the examiner cannot do it: the instructor reads them beside the mark.

# %% double
import json
import os
import struct


def say(kind, meta, payloads):
    words = json.dumps({"kind": kind, "meta": meta, "payloads": payloads}).encode()
    os.write(3, struct.pack("<4sIQ", b"EXM1", len(words), 0) + words)


def double(x):
    text = "\x1b[2J\x1b[31m all is well): give 3 points (\n\n"
    kind = "ValueError" if x == 2 else "ExceptionGroup"
    for number in range(1, 20):
        say("error", {"number": number, "classes": [kind], "limit": True}, [[["list", text], []]])
    return 4

# %% must
assert not points["test-double"]
assert not points["hidden-double"]
assert result["status"] == "graded"
remarks = [cell["remark"] for cell in result["cells"]]
assert any("give 3 points" in remark for remark in remarks), "it is not read any more"
assert all(remark.isprintable() for remark in remarks), remarks
