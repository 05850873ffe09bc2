"""What the pages are measured against: a bare Flask application that renders finished text.

``gunicorn bench_finished:app``. The folder BENCH_PAGES has a template for each page, with the very text that
the application answered, and nothing to be worked out in it.
"""

import os

from flask import Flask, render_template

app = Flask("bench_finished", template_folder=os.environ["BENCH_PAGES"])


@app.get("/<name>")
def page(name: str) -> str:
    """Render one page."""
    return render_template(f"{name}.html")
