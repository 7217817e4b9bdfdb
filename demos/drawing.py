"""From a plotly figure to the Figure that a demo returns: plain numbers, no colours, no fonts.

The page brings colours, fonts and the words of its language. What is fixed here is what all our
plots share: short numbers, the legend above the plot, few ticks, matrices read from the top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labdeck.contract import Figure

DIGITS = 5  # significant; more only makes the page heavier
LEGEND = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}


def axis(title: str, unit: str = "", **more: Any) -> dict[str, Any]:
    """An axis with its title, unit in parentheses, and few ticks."""
    text = f"{title} ({unit})" if unit else title
    return {"title": {"text": text}, "nticks": 6, "automargin": True, **more}


def label_axis(title: str, labels: Sequence[str], **more: Any) -> dict[str, Any]:
    """An axis with one label at each of 0, 1, 2, …; labels may repeat, as letters in a word do."""
    ticks = {"tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": list(labels)}
    ends = {"range": [-0.5, len(labels) - 0.5], "constrain": "domain"}
    plain_look = {"automargin": True, "showgrid": False, "zeroline": False}
    return {"title": {"text": title}, **plain_look, **ends, **ticks, **more}


def matrix_rows(
    title: str, labels: Sequence[str], beside: str = "x", **more: Any
) -> dict[str, Any]:
    """The vertical axis of a matrix: row 0 on top; cells square, or flatter by `scaleratio`."""
    square = {"range": [len(labels) - 0.5, -0.5], "scaleanchor": beside}
    return {**label_axis(title, labels), **square, **more}


def log_ticks(values: Sequence[int | float], texts: Sequence[str] | None = None) -> dict[str, Any]:
    """A logarithmic axis that names exactly these values."""
    named = list(texts) if texts is not None else [f"{value:g}" for value in values]
    return {"type": "log", "tickmode": "array", "tickvals": list(values), "ticktext": named}


def cell_texts(rows: Sequence[Sequence[float]], least: float = 0.05) -> list[list[str]]:
    """What to write into the cells of a matrix: two decimals, nothing where hardly anything is."""
    return [[f"{value:.2f}" if value >= least else "" for value in row] for row in rows]


def stretches(values: Sequence[float], points: int) -> tuple[list[int], list[float]]:
    """A long curve as at most `points` means: the last step of each stretch, and its mean."""
    size = max(1, -(-len(values) // points))
    parts = [values[start : start + size] for start in range(0, len(values), size)]
    ends = [min((index + 1) * size, len(values)) for index in range(len(parts))]
    return ends, [sum(part) / len(part) for part in parts]


def plain(value: Any) -> Any:
    """`value` as JSON has it: lists, and floats of DIGITS significant digits."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return value


def finish(
    traces: Sequence[Any],
    layout: Mapping[str, Any],
    *,
    alt: Mapping[str, str],
    zh: Mapping[str, str],
) -> Figure:
    """Let plotly check traces and layout, and return them as a Figure.

    Args:
        traces: plotly traces.
        layout: axes, annotations and so on, as plotly names them.
        alt: what the figure says, in each language.
        zh: English text in the figure -> Chinese.
    """
    import plotly.graph_objects as go

    drawn = go.Figure(data=list(traces), layout={"legend": LEGEND, **layout})
    spec = plain(drawn.to_plotly_json())
    spec["layout"].pop("template", None)
    return Figure({"data": spec["data"], "layout": spec["layout"]}, alt=alt, words={"zh": zh})
