"""The plots of the mixture-of-experts demo: numbers in, figures out."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import plotly.graph_objects as go

from labdeck.contract import Figure

from .. import drawing
from .regimes import Outcome

POINTS = 100  # of a curve over training
WITHOUT, WITH = "without the balancing loss", "with the balancing loss"

ZH = {
    WITHOUT: "无均衡损失",
    WITH: "有均衡损失",
    "expert": "专家",
    "regime": "数据类别",
    "load (times an even share)": "负载（平均份额的倍数）",
    "even share": "平均份额",
    "training step": "训练步数",
    "busiest expert (times an even share)": "最忙专家负载（平均的倍数）",
    "right answers (share)": "正确率（占比）",
    "one dense layer": "单个稠密层",
    "no limit": "容量不限",
}


def load(without: Outcome, balanced: Outcome, factor: float) -> Figure:
    """How much each expert has to do."""
    names = [str(index + 1) for index in range(len(without.loads))]
    limit = f"capacity: {factor:g} × even share"
    traces = [
        go.Bar(y=_times_even(without), name=WITHOUT),
        go.Bar(y=_times_even(balanced), name=WITH),
        _level(len(names), 1.0, "even share"),
        _level(len(names), factor, limit),
    ]
    layout = {
        "barmode": "group",
        "xaxis": drawing.label_axis("expert", names),
        "yaxis": drawing.axis("load", "times an even share"),
    }
    alt = {
        "en": f"First seed: the busiest of {len(names)} experts gets {without.max_load:.2f} times "
        f"an even share {WITHOUT}, {balanced.max_load:.2f} times {WITH}.",
        "zh": f"首个种子：{len(names)} 个专家中最忙者的负载为平均份额的 {without.max_load:.2f} 倍"
        f"（无均衡损失），有均衡损失时为 {balanced.max_load:.2f} 倍。",
    }
    zh = {**ZH, limit: f"容量：平均份额的 {factor:g} 倍"}
    return drawing.finish(traces, layout, alt=alt, zh=zh)


def busiest(without: Outcome, balanced: Outcome) -> Figure:
    """The busiest expert's load while training, averaged over stretches of steps."""
    traces = []
    for name, outcome in ((WITHOUT, without), (WITH, balanced)):
        steps, means = drawing.stretches(outcome.tracks, POINTS)
        traces.append(go.Scatter(x=steps, y=means, mode="lines", name=name))
    layout = {
        "xaxis": drawing.axis("training step"),
        "yaxis": drawing.axis("busiest expert", "times an even share", rangemode="tozero"),
    }
    ends = [trace.y[-1] for trace in traces]
    alt = {
        "en": f"First seed: at the end of training the busiest expert gets {ends[0]:.2f} times an "
        f"even share {WITHOUT}, {ends[1]:.2f} times {WITH}.",
        "zh": f"首个种子：训练结束时最忙专家的负载为平均份额的 {ends[0]:.2f} 倍（无均衡损失）"
        f"和 {ends[1]:.2f} 倍（有均衡损失）。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def routing(without: Outcome, balanced: Outcome) -> Figure:
    """Which expert gets which regime, side by side."""
    experts = [str(index + 1) for index in range(len(without.loads))]
    regimes = [str(index + 1) for index in range(len(without.by_regime))]
    traces, notes = [], []
    for name, outcome, n in ((WITHOUT, without, ""), (WITH, balanced, "2")):
        where = {"xaxis": f"x{n}", "yaxis": f"y{n}", "showscale": False}
        traces.append(go.Heatmap(z=outcome.by_regime, zmin=0, zmax=1, **where))
        place = {"xref": f"x{n} domain", "yref": f"y{n} domain", "x": 0.5, "y": 1.02}
        notes.append({"text": name, "showarrow": False, "yanchor": "bottom", **place})
    layout = {
        "grid": {"rows": 1, "columns": 2, "pattern": "independent"},
        "annotations": notes,
        "margin": {"l": 20, "r": 20, "t": 50, "b": 20},
        "xaxis": drawing.label_axis("expert", experts, tickangle=0),
        "yaxis": drawing.matrix_rows("regime", regimes, scaleratio=0.75),
        "xaxis2": drawing.label_axis("expert", experts, tickangle=0),
        "yaxis2": drawing.matrix_rows("", regimes, beside="x2", scaleratio=0.75),
    }
    alt = {
        "en": "First seed: normalised mutual information between regime and expert: "
        f"{without.information:.2f} {WITHOUT}, {balanced.information:.2f} {WITH}.",
        "zh": f"首个种子：数据类别与专家之间的归一化互信息：无均衡损失 {without.information:.2f}，"
        f"有均衡损失 {balanced.information:.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def accuracy(
    dense: Sequence[Outcome],
    without: Sequence[Outcome],
    balanced: Sequence[Outcome],
    factor: float,
) -> Figure:
    """Mean accuracy, without and with a limit to what an expert takes; a dense layer beside it."""
    plain = fmean(outcome.accuracy for outcome in dense)
    free = [fmean(o.accuracy for o in outcomes) for outcomes in (without, balanced)]
    capped = [fmean(o.accuracy_capped for o in outcomes) for outcomes in (without, balanced)]
    limit = f"capacity {factor:g}"
    names = ["one dense layer", WITHOUT, WITH]
    traces = [
        go.Bar(y=[plain, *free], name="no limit", text=_shares([plain, *free])),
        go.Bar(y=[None, *capped], name=limit, text=["", *_shares(capped)]),
    ]
    layout = {
        "barmode": "group",
        "xaxis": drawing.label_axis("", names),
        "yaxis": drawing.axis("right answers (share)", range=[0, 1]),
    }
    alt = {
        "en": f"Right answers: dense {plain:.2f}; experts {WITHOUT} {free[0]:.2f}, "
        f"{capped[0]:.2f} with a capacity of {factor:g}; {WITH} {free[1]:.2f} and {capped[1]:.2f}.",
        "zh": f"正确率：稠密层 {plain:.2f}；无均衡损失 {free[0]:.2f}，容量系数 {factor:g} 时 "
        f"{capped[0]:.2f}；有均衡损失 {free[1]:.2f} 与 {capped[1]:.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh={**ZH, limit: f"容量系数 {factor:g}"})


def _times_even(outcome: Outcome) -> list[float]:
    return [share * len(outcome.loads) for share in outcome.loads]


def _level(experts: int, height: float, name: str) -> go.Scatter:
    ends = [-0.5, experts - 0.5]
    return go.Scatter(x=ends, y=[height] * 2, mode="lines", line={"dash": "dot"}, name=name)


def _shares(values: Sequence[float]) -> list[str]:
    return [f"{value:.2f}" for value in values]
