"""nbgrader's configuration in every server of the hub: the exchange, and the student's id."""

import os

c = get_config()  # noqa: F821 (defined by nbgrader)

c.CourseDirectory.course_id = os.environ["COURSE_ID"]
c.Exchange.root = os.environ["EXCHANGE"]
# The login name: the default, the account's name, is the same for all where servers share one.
c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
