# %% [markdown]
# Scripts for the reader of the page, in every form of output and of cell; and, beside them, a
# table and a picture.

# %% double
import base64

import pandas as pd
from IPython.display import HTML, SVG, IFrame, Javascript, Latex, Markdown, display

ACTS = "alert('gotcha')"
display(HTML(f'<script>{ACTS}</script><img src=x onerror="{ACTS}"><svg onload="{ACTS}">'))
display(HTML(f'<a href="java&#115;cript:{ACTS}">look</a>'))
display(HTML(f'<iframe srcdoc="<script>{ACTS}</script>">'))
display(HTML(f'<div title="<!--" onclick="{ACTS}" <b>--></div>'))
display(HTML('<object data="x"></object><embed src=x>'))
display(HTML('<b>alone</b>'), metadata={'text/html': {'isolated': True}})
display(Javascript(ACTS), Markdown(f'[look](javascript:{ACTS}) <script>{ACTS}</script>'))
display(Latex(f'$\\href{{javascript:{ACTS}}}{{look}}$'))
display(SVG(f'<svg onload="{ACTS}"><script>{ACTS}</script></svg>'))
display(IFrame(f'javascript:{ACTS}', 100, 100))
display({'text/html': [f'<script>{ACTS}</script>'], 'text/plain': 'x'}, raw=True)
widget = {'model_id': f'</script><script>{ACTS}'}
display({'application/vnd.jupyter.widget-view+json': widget}, raw=True)
png = base64.b64encode(b'no picture').decode()
words = {'width': f'1 onload={ACTS}', 'alt': 'a grey square'}
display({'image/png': png}, metadata={'image/png': words}, raw=True)
display({'image/jpeg': f'" onerror="{ACTS}'}, raw=True)
print(f'<script>{ACTS}</script>')
display(pd.DataFrame({'twice': [2, 4]}))


def double(x):
    return 2 * x

# %% greet
def greet():
    raise ValueError(f'<script>{ACTS}</script>')

# %% hand in
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

script = "<script>alert('gotcha')</script>"
notebook.cells += [
    new_markdown_cell(script),
    new_markdown_cell("<div onclick=alert('gotcha')\n"),
    new_markdown_cell("[look](javascript:alert('gotcha'))"),
    new_markdown_cell("[look](own.html)"),
    new_markdown_cell("$\\href{javascript:alert('gotcha')}{look}$"),
    new_raw_cell(script),
    new_code_cell("# " + script, id="x"),
]
(folder / "own.html").write_text(script)
notebook.cells[-1]["id"] = f'"><script>{script}'

# %% must
from nbconvert import HTMLExporter
from nbgrader.server_extensions.formgrader.handlers import template_path

from tests.support.pages import active_parts

assert points == full_marks | {"test-greet": 0, "essay": None}  # text below an empty essay
students = (graded.parent.name, "warns_on_stderr")  # this one, and a harmless one
pages, ordinary = [], []
exporter = HTMLExporter(template_name="formgrade", extra_template_basedirs=[template_path])
for student, htmls in zip(students, (pages, ordinary)):
    done = course.run("nbgrader", "generate_feedback", lesson, "--student", student)
    assert done.returncode == 0
    name = f"{student}/{lesson}/{lesson}"
    htmls.append((course.folder / f"feedback/{name}.html").read_text())
    notebook = course.folder / f"autograded/{name}.ipynb"
    htmls.append(exporter.from_filename(str(notebook), {"index": 0, "total": 1})[0])
assert [active_parts(page) for page in pages] == [active_parts(page) for page in ordinary]
for page in pages:
    assert "gotcha" in page
    assert 'href="own.html"' not in page
    assert '<table border="1" class="dataframe">' in page
    assert 'alt="a grey square"' in page
