"""Links and pictures of the documents lead somewhere, and every page and picture is led to."""

import re
from pathlib import Path

import pytest

import linewatch

PROJECT = Path(linewatch.__file__).parent.parent
PAGES = [PROJECT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")]
PAGES += sorted((PROJECT / "docs").glob("*.md"))
PICTURES = {".png", ".jpg", ".svg"}
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """The page without its code."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The anchors of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def wrong(page: Path) -> list[str]:
    """The links of the page that lead nowhere, and those that leave the project for a place other than the web."""
    found = []
    for link in _LINK.findall(prose(page)):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        inside = any(target.is_relative_to(root) for root in (PROJECT, page.parent))
        if not (inside and target.exists()) or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    assert wrong(page) == []


def test_the_readme_leads_to_every_page() -> None:
    linked = {link.partition("#")[0] for link in _LINK.findall(prose(PROJECT / "README.md"))}
    assert {f"docs/{page.name}" for page in (PROJECT / "docs").glob("*.md")} <= linked


def test_every_picture_is_shown_on_a_page() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in _LINK.findall(prose(page))}
    assert {path for path in (PROJECT / "docs").rglob("*") if path.suffix in PICTURES} <= shown


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One heading, two\n[a](#one-heading-two) [b](#two) [c](there.md) [d](page.md#one-heading-two)\n"
        "![e](gone.png) [f](https://example.org) [g](../../etc) `[h](code.md)`\n```sh\n[i](block.md)\n```\n"
    )
    assert wrong(page) == ["#two", "there.md", "gone.png", "../../etc"]
