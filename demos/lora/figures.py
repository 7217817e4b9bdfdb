"""The plots of the LoRA demo: numbers in, figures out."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import plotly.graph_objects as go

from labdeck.contract import Figure

from .. import drawing
from .adaptation import Trial

Rows = Sequence[Sequence[float]]
SHOWN = 64  # ranks in the plot of energy
POINTS = 100  # of a loss curve

ZH = {
    "training step": "训练步数",
    "loss (nat)": "损失（nat）",
    "right answers (share)": "正确率（占比）",
    "all weights": "全量微调",
    "no fine-tuning": "不微调",
    "new task": "新任务",
    "old task": "旧任务",
    "rank": "秩",
    "energy of the update (share)": "更新量的能量（占比）",
    "old task: upright": "旧任务：正放",
    "new task: turned and inverted": "新任务：旋转并反色",
}


def accuracy(trials: Sequence[Trial], rank: int) -> Figure:
    """Accuracy on the new task while fine-tuning, mean over trials."""
    name = f"LoRA, rank {rank}"
    traces = []
    for label, tuned in (
        ("all weights", [t.full for t in trials]),
        (name, [t.low for t in trials]),
    ):
        means = [fmean(at) for at in zip(*(run.accuracies for run in tuned), strict=True)]
        traces.append(go.Scatter(x=tuned[0].steps, y=means, mode="lines+markers", name=label))
    before, last = fmean(t.base_new for t in trials), trials[0].full.steps[-1]
    dots = {"mode": "lines", "line": {"dash": "dot"}}
    traces.append(go.Scatter(x=[0, last], y=[before] * 2, name="no fine-tuning", **dots))
    layout = {
        "xaxis": drawing.axis("training step"),
        "yaxis": drawing.axis("right answers (share)", range=[0, 1]),
    }
    ends = [trace.y[-1] for trace in traces]
    alt = {
        "en": f"New task, after {last} steps: all weights {ends[0]:.3f}, {name} {ends[1]:.3f}, "
        f"without fine-tuning {ends[2]:.3f}.",
        "zh": f"新任务，{last} 步后：全量微调 {ends[0]:.3f}，秩为 {rank} 的 LoRA {ends[1]:.3f}，"
        f"不微调 {ends[2]:.3f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh={**ZH, name: f"LoRA，秩 {rank}"})


def loss(trials: Sequence[Trial], rank: int) -> Figure:
    """Loss while fine-tuning, mean over trials and over stretches of steps."""
    name = f"LoRA, rank {rank}"
    traces = []
    for label, runs in (("all weights", [t.full for t in trials]), (name, [t.low for t in trials])):
        losses = [fmean(at) for at in zip(*(run.losses for run in runs), strict=True)]
        steps, means = drawing.stretches(losses, POINTS)
        traces.append(go.Scatter(x=steps, y=means, mode="lines", name=label))
    layout = {
        "xaxis": drawing.axis("training step"),
        "yaxis": drawing.axis("loss", "nat", rangemode="tozero"),
    }
    ends = [trace.y[-1] for trace in traces]
    alt = {
        "en": f"Loss at the end: all weights {ends[0]:.3f} nat, {name} {ends[1]:.3f} nat.",
        "zh": f"最后的损失：全量微调 {ends[0]:.3f} nat，秩为 {rank} 的 LoRA {ends[1]:.3f} nat。",
    }
    return drawing.finish(traces, layout, alt=alt, zh={**ZH, name: f"LoRA，秩 {rank}"})


def tasks(trials: Sequence[Trial], rank: int) -> Figure:
    """Accuracy on the new and on the old task: before, with all weights, with adapters."""
    name, off = f"LoRA, rank {rank}", "LoRA taken off again"
    bars = {
        "no fine-tuning": [[t.base_new, t.base_old] for t in trials],
        "all weights": [[t.full.accuracies[-1], t.full.kept] for t in trials],
        name: [[t.low.accuracies[-1], t.low.kept] for t in trials],
        off: [[t.base_new, t.low_old_detached] for t in trials],
    }
    means = {label: [fmean(at) for at in zip(*rows, strict=True)] for label, rows in bars.items()}
    traces = [
        go.Bar(y=values, name=label, text=[f"{value:.2f}" for value in values])
        for label, values in means.items()
    ]
    layout = {
        "barmode": "group",
        "xaxis": drawing.label_axis("", ["new task", "old task"]),
        "yaxis": drawing.axis("right answers (share)", range=[0, 1]),
    }
    alt = {
        "en": "; ".join(
            f"{label}: new {new:.2f}, old {old:.2f}" for label, (new, old) in means.items()
        )
        + ".",
        "zh": "",
    }
    zh = {**ZH, name: f"LoRA，秩 {rank}", off: "取下 LoRA"}
    alt["zh"] = (
        "；".join(f"{zh[label]}：新 {new:.2f}，旧 {old:.2f}" for label, (new, old) in means.items())
        + "。"
    )
    return drawing.finish(traces, layout, alt=alt, zh=zh)


def energy(trials: Sequence[Trial], rank: int) -> Figure:
    """How much of the middle layer's update its best approximation of each rank holds."""
    name = f"LoRA, rank {rank}"
    traces = []
    for label, rows in (
        ("all weights", [t.full_energy for t in trials]),
        (name, [t.low_energy for t in trials]),
    ):
        means = [fmean(at) for at in zip(*rows, strict=True)][:SHOWN]
        ranks = list(range(1, len(means) + 1))
        traces.append(go.Scatter(x=ranks, y=means, mode="lines", name=label))
    powers = [2**i for i in range(10) if 2**i <= len(traces[0].x)]
    layout = {
        "xaxis": drawing.axis("rank", **drawing.log_ticks(powers)),
        "yaxis": drawing.axis("energy of the update (share)", range=[0, 1.03]),
    }
    at = min(rank, len(traces[0].y))
    alt = {
        "en": f"The best rank-{at} matrix holds {traces[0].y[at - 1]:.2f} of the squares of the "
        "update that full fine-tuning made.",
        "zh": f"全量微调的更新量中，最优的秩 {at} 矩阵占平方和的 {traces[0].y[at - 1]:.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh={**ZH, name: f"LoRA，秩 {rank}"})


def samples(upright: Rows, turned: Rows) -> Figure:
    """One digit of each kind, as the old task and as the new task show it."""
    hidden = {"visible": False}
    layout = {
        "grid": {"rows": 2, "columns": 1, "pattern": "independent"},
        "margin": {"l": 20, "r": 20, "t": 50, "b": 20},
        "annotations": [],
    }
    traces = []
    for rows, text, n in (
        (upright, "old task: upright", ""),
        (turned, "new task: turned and inverted", "2"),
    ):
        where = {"xaxis": f"x{n}", "yaxis": f"y{n}", "showscale": False}
        traces.append(go.Heatmap(z=rows, zmin=0, zmax=1, **where))
        layout[f"xaxis{n}"] = hidden
        ends = {"range": [len(rows) - 0.5, -0.5], "scaleanchor": f"x{n}", "constrain": "domain"}
        layout[f"yaxis{n}"] = {**hidden, **ends}
        place = {"xref": f"x{n} domain", "yref": f"y{n} domain", "x": 0.5, "y": 1.02}
        note = {"text": text, "showarrow": False, "yanchor": "bottom", **place}
        layout["annotations"].append(note)
    alt = {
        "en": f"Noisy digits of {len(upright)} pixels' height, upright, and the same ones turned "
        "a quarter to the left and inverted.",
        "zh": f"高 {len(upright)} 像素的带噪数字：正放，以及左转四分之一圈并反色的同一批。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)
