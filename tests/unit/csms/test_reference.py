"""docs/configuration.md is what the code says."""

from pathlib import Path

from csms.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_section_and_nested_table_has_its_heading() -> None:
    for heading in ("At the top", "`[[stations]]`", "`[ws_gateway]`", "`[[webhook.observers]]`", "`[api.jwt]`"):
        assert f"## {heading}\n" in page()
