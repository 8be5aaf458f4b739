"""Write what Sphinx reads: python -m website FOLDER."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from website import api, docs, glossary, lessons

ROOT = Path(__file__).parents[1]
INTRODUCTION = (
    "The lessons as you meet them before your first answer, with each figure that needs none. "
    "What a prediction asks for is folded, and so are tests. "
    "To run them and to answer, open them in [JupyterLab](docs/students.md)."
)


def write_site(folder: Path) -> None:
    """Write all pages and images into a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = site_pages(ROOT)
    for name, content in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def site_pages(root: Path) -> dict[str, str | bytes]:
    """Return the site's pages and images by path."""
    files: dict[str, str | bytes] = {}
    terms = glossary.terms_in(root / "docs" / "glossary-course.md")
    titles = {}
    for path in sorted((root / "lessons").glob("[0-9]*.py")):
        number = path.stem[:2]
        names = {term.name for term in terms if term.lesson == number}
        page = lessons.page_of(root, path.stem, names)
        titles[number] = page.title
        files[f"lessons/{path.stem}.md"] = page.text.replace("{images}", path.stem)
        files |= {f"lessons/{path.stem}/{name}": png for name, png in page.images.items()}
    files["lessons.md"] = toctree("Lessons", INTRODUCTION, [n for n in files if n.endswith(".md")])
    files["docs/glossary-course.md"] = glossary.page_of(terms, titles)
    files["docs/api-course.md"] = api.course_page(root)
    files["docs/api-autograder.md"] = api.grader_page(root)
    files |= {f"{reader}.md": docs.reader_page(reader) for reader in docs.READERS}
    files["index.md"] = (root / "website" / "index.md").read_text(encoding="utf-8")
    files |= {
        f"docs/{path.name}": path.read_bytes()
        for pattern in ("*.png", "*.svg")
        for path in sorted((root / "docs").glob(pattern))
    }
    known = {*files, *(f"{page}.md" for page in docs.pages())}
    for name in (f"{page}.md" for page in docs.pages()):
        files[name] = docs.converted((root / name).read_text(encoding="utf-8"), name, known)
    return files


def toctree(title: str, text: str, names: list[str]) -> str:
    """Return a page that lists others."""
    entries = "\n".join(f"/{name.removesuffix('.md')}" for name in names)
    return f"# {title}\n\n{text}\n\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"


if __name__ == "__main__":
    write_site(Path(sys.argv[1]))
