"""Checks for the tests of a lesson: assertions whose messages teach, and helpers that travel.

Assertions (assertions.py). Each raises AssertionError with a message for the learner that says
what came, what was expected and what to look at, or returns None. `what` names the computed value,
best as the call itself: "output_size(7, 3, s=2)".

    that(condition, message)                    any claim
    equal(got, expected, what, hint)            numbers, strings, tuples, lists, dictionaries
    shape(got, expected, what, hint)            the shape of an array or tensor
    close(got, expected, what, hint)            arrays and tensors, within rounding
    dtype(got, expected, what, hint)            the type of a tensor
    table(got, expected, what, hint)            data frames, cell by cell
    raises(error, call, *arguments, hint=)      what must be rejected
    at_least(got, bound, what, hint)            a learnt result, also at_most; margins() lists the
                                                distances to the bounds
    spread(got, variance, what, hint)           random numbers, by their mean and variance

Helpers (helpers.py, calls.py, names.py). A test reaches the learner's work by name alone. Where it
must act in the process in which the answer runs, it uses one of these, which return plain data or
the learner's own object. With a proxy of the learner's work, they run where that work is (see
helpers.travels).

    using(name=reference)                       a context: names of the learner's stand for the
                                                test's own references
    shares_memory(call, *arguments)             whether the result is the first argument, or a view
    reuses_memory(call, *arguments)             whether a second result overwrites the first
    variable(call, name)                        the value of a name where the call runs
    reseeded(call, *arguments)                  global RNGs that a call sets to a state of its own
    seed(number)                                before training: the state of all RNGs
    layer_shapes(model, x)                      the output shape of each layer of a module
    parameter_counts(model)                     parameters of each layer that has any
    by_hand(call, *arguments, without=)         a call may not use a library's own "conv unfold"
    operations(call, *arguments)                names of the library functions that a call used
    line_runs(call, *arguments)                 how often its busiest statement ran
    steps(call, *arguments)                     how long it ran in Python: grows with a loop
    gradient(call, x, *arguments)               the gradient of a call's result
    silenced(model, x, layers)                  the output of a model without some of its parts
    state(model)                                parameters and buffers as plain arrays
    filled(model, weight, bias, scale)          a model whose parameters are all set to constants
    stack_gradients(make, arguments, ...)       how much gradient reaches each of many blocks
    optimizer(model, name, **settings)          an optimizer over a model's parameters
    trained(train_epoch, model, ...)            the result of training a copy of a model
    evaluated(evaluate, model, ...)             the result of an evaluation on a copy of a model
    inspected(look, model, layer, ...)          the result of a look into a copy of a model
    on_copies(call, modules, *arguments)        the result of a call on copies of modules
"""

from course.check.assertions import (
    at_least,
    at_most,
    close,
    dtype,
    equal,
    margins,
    raises,
    shape,
    spread,
    table,
    that,
)
from course.check.calls import (
    by_hand,
    line_runs,
    operations,
    reseeded,
    reuses_memory,
    shares_memory,
    steps,
    variable,
)
from course.check.helpers import (
    evaluated,
    filled,
    gradient,
    inspected,
    layer_shapes,
    on_copies,
    optimizer,
    parameter_counts,
    seed,
    silenced,
    stack_gradients,
    state,
    trained,
)
from course.check.names import using

__all__ = [
    "at_least",
    "at_most",
    "by_hand",
    "close",
    "dtype",
    "equal",
    "evaluated",
    "filled",
    "gradient",
    "inspected",
    "layer_shapes",
    "line_runs",
    "margins",
    "on_copies",
    "operations",
    "optimizer",
    "parameter_counts",
    "raises",
    "reseeded",
    "reuses_memory",
    "seed",
    "shape",
    "shares_memory",
    "silenced",
    "spread",
    "stack_gradients",
    "state",
    "steps",
    "table",
    "that",
    "trained",
    "using",
    "variable",
]
