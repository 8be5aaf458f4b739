"""nbgrader's settings: the folder of this file is the root of an nbgrader course."""

import os

c = get_config()  # noqa: F821 (given by nbgrader)

# Whatever other course the user's own configuration names, here it is this one.
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))

c.CourseDirectory.course_id = "cnn"
# A test cell that a learner deleted is put back and run.
c.OverwriteCells.add_missing_cells = True
# Stock `nbgrader autograde` gives a cell 30 s; the course promises its cells 60.
c.Execute.timeout = 60
# What learners get back names what tests said, and shows no line of a hidden one.
c.GenerateFeedback.exporter_class = "autograder.service.feedback.FeedbackExporter"
