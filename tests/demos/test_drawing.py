from __future__ import annotations

import plotly.graph_objects as go
import pytest
from plotly.exceptions import PlotlyError

from demos import drawing

WORDS = {"alt": {"en": "1", "zh": "一 1"}, "zh": {}}


def test_numbers_become_short_and_lists_plain() -> None:
    assert drawing.plain({"a": (1.23456789, 7, True, None, "x")}) == {
        "a": [1.2346, 7, True, None, "x"]
    }


def test_arrays_come_out_as_lists_and_no_template_stays() -> None:
    figure = drawing.finish([go.Bar(y=[0.1, 0.2])], {"xaxis": drawing.axis("a", "s")}, **WORDS)
    assert figure.spec["data"][0]["y"] == [0.1, 0.2]
    assert "template" not in figure.spec["layout"]
    assert figure.spec["layout"]["xaxis"]["title"]["text"] == "a (s)"
    assert figure.spec["layout"]["legend"]["orientation"] == "h"


def test_plotly_checks_the_layout() -> None:
    with pytest.raises((ValueError, PlotlyError), match="nonsense"):
        drawing.finish([], {"nonsense": 1}, **WORDS)


@pytest.mark.parametrize(("count", "points"), [(1, 100), (7, 3), (100, 100), (101, 100)])
def test_stretches_cover_every_step_once(count: int, points: int) -> None:
    values = [float(value) for value in range(count)]
    ends, means = drawing.stretches(values, points)
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    assert len(ends) <= points and ends[-1] == count
    total = sum(size * mean for size, mean in zip(sizes, means, strict=True))
    assert total == pytest.approx(sum(values))
