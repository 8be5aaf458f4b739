"""Figures as HTML, for the HTML widget of an explorer."""

from __future__ import annotations

import base64
import io
from html import escape

from matplotlib.figure import Figure


def picture(figure: Figure, alt: str) -> str:
    """Return an <img> element with `figure` as a PNG and `alt` as its text alternative."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=90)
    data = base64.b64encode(png.getvalue()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{data}">'
