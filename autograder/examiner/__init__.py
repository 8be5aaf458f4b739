"""Two kernels for a notebook: one runs the submission, the other, which it never enters, the tests.

    codec            values as bytes and back; what arrives is checked
    transport        messages over the socket between the two kernels
    protocol         requests and exported objects: what both ends have in common
    examiner_side    the end of the tests
    submission_side  the end of the answers
    remote_errors    exceptions that cross
    random_state     random number generators that both share
    state            modules of torch by value, and changes of arguments
    proxies, nets    what a test holds in place of a function, an object, a module
    free_names       which names a test needs
    kernels          what each of the two kernels adds to a forked kernel

docs/examiner.md says how it works and what it promises.
"""
