"""nbgrader's configuration: the folder of this file is the root of an nbgrader course."""

import os

c = get_config()  # noqa: F821 (defined by nbgrader)

# The user's configuration may name another course.
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))

c.CourseDirectory.course_id = "cnn"
# A test cell that a learner deleted is restored and executed.
c.OverwriteCells.add_missing_cells = True
# The default of stock `nbgrader autograde` is 30 s per cell; the course allows 60.
c.Execute.timeout = 60
# Files are collected as data: stock nbgrader follows links that a student puts into the exchange.
c.ExchangeFactory.collect = "autograder.grading.collect.Collect"
c.ZipCollectApp.extractor_plugin = "autograder.grading.archives.Extractor"
# Stock nbgrader releases also pages that an answer wrote, and ends where one student has no secret.
c.ExchangeFactory.release_feedback = "autograder.service.release.ReleaseFeedback"
# Feedback shows the messages of tests, and no line of a hidden test.
c.GenerateFeedback.exporter_class = "autograder.service.feedback.FeedbackExporter"
# What lateness costs stands in deadlines.toml, if there is one: `autograder deadlines init`.
c.AssignLatePenalties.plugin_class = "autograder.grading.late.DeadlinePenalty"
