"""The plots of the tiling demo: numbers in, figures out."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from labdeck.contract import Figure

from .. import drawing
from . import counts
from .tiles import Errors, Path

LENGTHS = tuple(2**power for power in range(9, 18))  # 512 … 128k tokens
HALF = 2  # bytes of a float16 or bfloat16
BYTES = {2**10: "1 KiB", 2**20: "1 MiB", 2**30: "1 GiB", 2**40: "1 TiB"}

ZH = {
    "keys seen": "已看过的键数",
    "running maximum m": "累计最大值 m",
    "running sum l": "累计和 l",
    "keys in a tile": "每块的键数",
    "largest error": "最大误差",
    "tiled, float32": "分块，float32",
    "tiled, float64": "分块，float64",
    "plain, float32": "不分块，float32",
    "tiled, rescaling forgotten": "分块，忘了重新缩放",
    "sequence length (tokens)": "序列长度（词元）",
    "bytes for one head": "单个头的字节数",
    "bytes moved for one head": "单个头的访存字节数",
    "score matrix": "分数矩阵",
    "plain": "不分块",
}


def running(path: Path) -> Figure:
    """The running maximum and the running sum of one query, tile after tile."""
    traces = [
        go.Scatter(x=path.keys, y=path.m, mode="lines+markers", name="running maximum m"),
        go.Scatter(x=path.keys, y=path.l, mode="lines+markers", name="running sum l", yaxis="y2"),
    ]
    layout = {
        "xaxis": drawing.axis("keys seen", anchor="y2"),
        "yaxis": drawing.axis("m", domain=[0.56, 1], nticks=4),
        "yaxis2": drawing.axis("l", domain=[0, 0.44], rangemode="tozero", nticks=4),
    }
    alt = {
        "en": f"For one query the maximum rises in {path.rises} of {len(path.keys)} tiles after "
        f"the first, to {path.m[-1]:.2f}; the sum ends at {path.l[-1]:.1f}.",
        "zh": f"某个查询的最大值在第一块之后上升 {path.rises} 次（共 {len(path.keys)} 块），"
        f"最终为 {path.m[-1]:.2f}；累计和最终为 {path.l[-1]:.1f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh={**ZH, "m": "m", "l": "l"})


def error(errors: Errors) -> Figure:
    """Largest error against the size of a tile; the row for float32 without tiles is the budget."""
    named = {
        "tiled, rescaling forgotten": errors.forgot,
        "tiled, float32": errors.single,
        "tiled, float64": errors.double,
    }
    traces = [
        go.Scatter(x=errors.sizes, y=values, mode="lines+markers", name=name)
        for name, values in named.items()
    ]
    ends = [errors.sizes[0], errors.sizes[-1]]
    dots = {"mode": "lines", "line": {"dash": "dot"}}
    traces.append(go.Scatter(x=ends, y=[errors.plain] * 2, name="plain, float32", **dots))
    layout = {
        "xaxis": drawing.axis("keys in a tile", **drawing.log_ticks(errors.sizes)),
        "yaxis": drawing.axis(
            "largest error", type="log", exponentformat="power", dtick=4, tick0=0
        ),
    }
    alt = {
        "en": f"Over tiles of {ends[0]} to {ends[1]} keys the largest error is "
        f"{max(errors.single):.1e} in float32 and {max(errors.double):.1e} in float64; "
        f"plain float32 {errors.plain:.1e}; without rescaling up to {max(errors.forgot):.1e}.",
        "zh": f"每块 {ends[0]} 到 {ends[1]} 个键：float32 最大误差 {max(errors.single):.1e}，"
        f"float64 为 {max(errors.double):.1e}；不分块的 float32 为 {errors.plain:.1e}；"
        f"忘了重新缩放时可达 {max(errors.forgot):.1e}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def memory(tile: int, width: int) -> Figure:
    """Bytes for the scores of one head: the whole matrix, and a tile's working set."""
    named = f"one tile of {tile} × {tile}"
    whole = [counts.score_bytes(n, HALF) for n in LENGTHS]
    one = [counts.tile_bytes(tile, tile, width, HALF)] * len(LENGTHS)
    alt = {
        "en": f"At {LENGTHS[-1]} tokens the score matrix of one head takes {whole[-1] / 2**30:.0f} "
        f"GiB in 16 bits; {named} takes {one[-1] / 2**10:.0f} KiB at any length.",
        "zh": f"{LENGTHS[-1]} 个词元时，16 位的单头分数矩阵占 {whole[-1] / 2**30:.0f} GiB；"
        f"一个 {tile} × {tile} 的分块在任何长度都只占 {one[-1] / 2**10:.0f} KiB。",
    }
    zh = {**ZH, named: f"一个 {tile} × {tile} 的分块"}
    return _by_length({"score matrix": whole, named: one}, "bytes for one head", alt, zh)


def traffic(tile: int, width: int) -> Figure:
    """Bytes moved between memory and chip for one head: plain, and with two sizes of tile."""
    sizes = (tile, 4 * tile)
    names = [f"tiled, {size} queries a tile" for size in sizes]
    plain = [counts.plain_traffic_bytes(n, width, HALF) for n in LENGTHS]
    tiled = [[counts.tiled_traffic_bytes(n, width, size, HALF) for n in LENGTHS] for size in sizes]
    most = [curve[-1] / 2**30 for curve in (plain, *tiled)]
    alt = {
        "en": f"At {LENGTHS[-1]} tokens plain attention moves {most[0]:.0f} GiB for one head; "
        f"{names[0]}: {most[1]:.0f} GiB; {names[1]}: {most[2]:.0f} GiB.",
        "zh": f"{LENGTHS[-1]} 个词元时，单个头不分块要搬运 {most[0]:.0f} GiB；每块 {sizes[0]} "
        f"个查询时 {most[1]:.0f} GiB；每块 {sizes[1]} 个查询时 {most[2]:.0f} GiB。",
    }
    zh = {**ZH, **{n: f"分块，每块 {size} 个查询" for n, size in zip(names, sizes, strict=True)}}
    curves = {"plain": plain, **dict(zip(names, tiled, strict=True))}
    return _by_length(curves, "bytes moved for one head", alt, zh)


def _by_length(
    curves: dict[str, list[int]], title: str, alt: dict[str, str], zh: dict[str, str]
) -> Figure:
    traces = [
        go.Scatter(x=list(LENGTHS), y=values, mode="lines+markers", name=name)
        for name, values in curves.items()
    ]
    shown = LENGTHS[1::3]
    tokens = drawing.log_ticks(shown, [f"{n // 1024}k" for n in shown])
    values = [value for curve in curves.values() for value in curve]
    layout = {
        "xaxis": drawing.axis("sequence length", "tokens", **tokens),
        "yaxis": drawing.axis(title, **_byte_ticks(values)),
    }
    return drawing.finish(traces, layout, alt=alt, zh=zh)


def _byte_ticks(values: Sequence[int]) -> dict[str, object]:
    shown = [b for b in BYTES if min(values) / 2**10 < b < max(values) * 2**10]
    return drawing.log_ticks(shown, [BYTES[b] for b in shown])
