"""Two kernels for a notebook: one runs the answers, the other, which they never enter, the tests.

    codec      values as bytes and back; what arrives is checked
    wire       frames on the socket between the two kernels
    peer       calls over the wire: what each kernel shows to the other, and what it is asked
    kernels    what each of the two adds to a forked kernel
    standins   what a test holds in place of a function, an object or a net of the learner's
    nets       stand-ins for nets, optimizers and results with gradients
    changes    nets by value, and what a call changes in its arguments
    names      which names a test cell needs

docs/examiner.md says how it works and what it promises.
"""

WIRE = 3  # the file descriptor of the socket between the two kernels, at both ends
