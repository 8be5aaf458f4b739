"""nbgrader's settings in every server of the hub: where the exchange is, and who you are."""

import os

c = get_config()  # noqa: F821 (given by nbgrader)

c.CourseDirectory.course_id = os.environ["COURSE_ID"]
c.Exchange.root = os.environ["EXCHANGE"]
# The name by which the hub knows you, also where all servers run as one user of the system.
c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
