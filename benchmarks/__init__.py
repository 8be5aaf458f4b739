"""Benchmark: the engine and stock nbgrader grade the same submissions, in one run.

    classes -> rounds of all systems (measure) -> figures -> bench.json, bench.png

stock             nbgrader autograde LESSON
stock, all cores  the same once per student, as many at a time as there are cores (xargs -P),
                  each with one thread: with torch's default they would compete for the cores
engine            autograder grade LESSON
lower bound       the processor time of the cells in a warm process, divided by the cores

The first three are the commands that a user would type, from start to exit, each on a fresh copy of
a course whose gradebook knows the lesson. All run in each round, in another order each time, so
that other load on the machine affects all of them. Running tests in a kernel of their own doubles
the kernels: its cost is measured on the same submissions, each executed in one kernel and in two.

For Linux: it reads /proc.
"""
