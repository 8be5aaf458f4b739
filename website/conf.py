"""Sphinx's settings. Fonts, styles, search and formulas are all served from the site itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

HERE = Path(__file__).parent
with (HERE.parent / "pyproject.toml").open("rb") as file:
    release = tomllib.load(file)["project"]["version"]

project = "Convolutional networks"
copyright = "the authors of the course; code BSD-3-Clause, lessons CC BY 4.0"
extensions = ["myst_parser", "sphinx_copybutton"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 4
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries

html_theme = "pydata_sphinx_theme"
html_title = "Convolutional networks"
html_favicon = "static/kernel.svg"
html_sidebars = {"index": [], "docs/glossary-course": []}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navbar_persistent": [],
    "navbar_end": ["search-button", "theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_math_renderer = "mathml"


def visit_inline(writer: object, node: nodes.math) -> None:
    """Write a formula as MathML, which browsers draw without a script or a font."""
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_block(writer: object, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    writer.body.append(
        f'<div class="formula" tabindex="0">{convert(node.astext(), display="block")}</div>'
    )
    raise nodes.SkipNode


def setup(app: object) -> None:
    """Register how formulas are written."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
