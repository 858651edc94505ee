import pytest

from newsletter_mail.checks.sections import FRAME, OPENING, section_costs


def _costs(*parts: str) -> list[tuple[str, int]]:
    html = f"<html><head><title>é</title></head><body><div>{''.join(parts)}</div></body></html>"
    costs = section_costs(html)
    assert sum(cost.size for cost in costs) == len(html.encode())
    return [(cost.heading, cost.size) for cost in costs]


def test_each_part_belongs_to_the_heading_before_it() -> None:
    parts = [
        "<p>o</p>",
        "<div><h2>A <b>b</b></h2>é</div>",
        "<p>a</p>",
        "<table><td><h2>C</h2></td></table>",
    ]
    costs = _costs(*parts, "<p>foot</p>")
    assert [name for name, _ in costs] == [FRAME, OPENING, "A b", "C"]
    assert [size for _, size in costs[1:]] == [
        len(parts[0]),
        len((parts[1] + parts[2]).encode()),
        len(parts[3]),
    ]


def test_sections_of_the_same_name_are_two() -> None:
    assert [name for name, _ in _costs(*["<div><h2>Part</h2></div>"] * 2)] == [
        FRAME,
        "Part",
        "Part",
    ]


@pytest.mark.parametrize("parts", [(), ("text",), ("<p>one</p>",)])
def test_without_parts_all_is_frame(parts: tuple[str, ...]) -> None:
    assert [name for name, _ in _costs(*parts)] == [FRAME]
