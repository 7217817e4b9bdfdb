"""The plots of the Transformer demo: numbers in, figures out."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from labdeck.contract import Figure

from .. import drawing
from .reversal import Look, Score

POINTS = 200  # of a loss curve

ZH = {
    "training step": "训练步数",
    "loss (nat per symbol)": "损失（nat/符号）",
    "guessing": "瞎猜",
    "training": "训练",
    "share": "占比",
    "right symbols, shown the right prefix": "符号正确（给出正确前文）",
    "right symbols, on its own": "符号正确（自己往下写）",
    "whole sequences right, on its own": "整句正确（自己往下写）",
    "read": "读入",
    "written": "写出",
}


def loss(losses: Sequence[float], chance: float) -> Figure:
    """Loss against training step, with the loss of guessing."""
    steps, means = drawing.stretches(losses, POINTS)
    traces = [
        go.Scatter(x=steps, y=means, mode="lines", name="training"),
        go.Scatter(
            x=[1, len(losses)],
            y=[chance, chance],
            mode="lines",
            line={"dash": "dot"},
            name="guessing",
        ),
    ]
    layout = {
        "xaxis": drawing.axis("training step"),
        "yaxis": drawing.axis("loss", "nat per symbol", rangemode="tozero"),
    }
    alt = {
        "en": f"Loss falls from {losses[0]:.2f} to {losses[-1]:.3f} nat per symbol in "
        f"{len(losses)} steps; guessing costs {chance:.2f}.",
        "zh": f"{len(losses)} 步内损失从每符号 {losses[0]:.2f} nat 变为 {losses[-1]:.3f} nat；"
        f"瞎猜为 {chance:.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def accuracy(scores: Sequence[Score]) -> Figure:
    """Three ways to count what is right, against training step."""
    steps = [s.step for s in scores]
    named = {
        "right symbols, shown the right prefix": [s.taught for s in scores],
        "right symbols, on its own": [s.symbols for s in scores],
        "whole sequences right, on its own": [s.exact for s in scores],
    }
    traces = [
        go.Scatter(x=steps, y=values, mode="lines+markers", name=name)
        for name, values in named.items()
    ]
    layout = {
        "xaxis": drawing.axis("training step"),
        "yaxis": drawing.axis("share", range=[-0.03, 1.03]),
    }
    last = scores[-1]
    alt = {
        "en": f"After {last.step} steps {last.exact:.3f} of the sequences are written without a "
        f"mistake; shown the right prefix, {last.taught:.3f} of the symbols are right.",
        "zh": f"{last.step} 步后，{last.exact:.3f} 的序列完全写对；"
        f"给出正确前文时，{last.taught:.3f} 的符号正确。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def cross_attention(seen: Look) -> Figure:
    """Where the decoder looked in the source for each symbol it wrote."""
    trace = go.Heatmap(
        z=seen.weights,
        zmin=0,
        zmax=1,
        text=drawing.cell_texts(seen.weights, least=0.1),
        texttemplate="%{text}",
        showscale=False,
    )
    layout = {
        "xaxis": drawing.label_axis("read", list(seen.source), tickangle=0),
        "yaxis": drawing.matrix_rows("written", list(seen.written), scaleratio=0.55),
    }
    alt = {
        "en": f"Reading {seen.source} and writing {seen.written}, the decoder puts "
        f"{seen.mirrored:.2f} of its attention on the mirrored symbol.",
        "zh": f"读入 {seen.source}，写出 {seen.written}：解码器平均把 {seen.mirrored:.2f} "
        f"的注意力放在镜像位置的符号上。",
    }
    return drawing.finish([trace], layout, alt=alt, zh=ZH)
