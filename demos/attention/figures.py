"""The plots of the attention demos: numbers in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from labdeck.contract import Figure

from .. import drawing
from .formula import KEYS, RowSums, Spread

Rows = Sequence[Sequence[float]]

ZH = {
    "trophy": "奖杯",
    "suitcase": "手提箱",
    "won't fit": "装不进",
    "because": "因为",
    "it": "它",
    "is too": "太",
    "big": "大",
    "small": "小",
    "big / small": "大 / 小",
    "… is too big": "……太大",
    "… is too small": "……太小",
    "looked at (key)": "被看的词（键）",
    "looking (query)": "在看的词（查询）",
    "key": "键",
    "query": "查询",
    "weight of “it” (share)": "“它”的注意力权重（占比）",
    "width d": "维度 d",
    "variance of the scores": "分数的方差",
    "largest weight (share)": "最大权重（占比）",
    "q·k": "q·k",
    "q·k / √d": "q·k / √d",
    "theory: d": "理论值：d",
    "theory: 1": "理论值：1",
    "all alike": "完全平均",
    "token": "词元",
    "sum of the output row": "输出行之和",
    "softmax(QKᵀ/√d)·V": "softmax(QKᵀ/√d)·V",
    "softmax(QKᵀ/√d·V)": "softmax(QKᵀ/√d·V)",
    "previous": "前一个",
    "next": "后一个",
    "first": "首个",
    "mirrored": "镜像",
    "letter asked for": "要找的字母",
    "right answers (share)": "答对比例（占比）",
    "1 head": "1 个头",
    "head silenced": "关掉的头",
}


def weights(words: Sequence[str], rows: Rows) -> Figure:
    """Who looks at whom in one sentence."""
    it = words.index("it")
    best = max(range(len(words)), key=lambda key: rows[it][key])
    share = rows[it][best]
    trace = go.Heatmap(
        z=rows,
        zmin=0,
        zmax=1,
        text=drawing.cell_texts(rows),
        texttemplate="%{text}",
        showscale=False,
    )
    layout = {
        "xaxis": drawing.label_axis("looked at (key)", words),
        "yaxis": drawing.matrix_rows("looking (query)", words, scaleratio=0.55),
    }
    alt = {
        "en": f"Attention weights of a trained model: “it” puts {share:.2f} on “{words[best]}”.",
        "zh": f"训练后的注意力权重：“它”有 {share:.2f} 落在“{ZH[words[best]]}”上。",
    }
    return drawing.finish([trace], layout, alt=alt, zh=ZH)


def flip(words: Sequence[str], big: Sequence[float], small: Sequence[float]) -> Figure:
    """Where “it” looks when only the last word changes."""
    names = [*words[:-1], "big / small"]
    traces = [
        go.Bar(y=big, name="… is too big"),
        go.Bar(y=small, name="… is too small"),
    ]
    layout = {
        "barmode": "group",
        "xaxis": drawing.label_axis("looked at (key)", names),
        "yaxis": drawing.axis("weight of “it” (share)", range=[0, 1]),
    }
    alt = {
        "en": f"“it” looks at the trophy with {big[0]:.2f} when it is too big, "
        f"at the suitcase with {small[2]:.2f} when it is too small.",
        "zh": f"太大时“它”看奖杯的权重是 {big[0]:.2f}，太小时看手提箱的权重是 {small[2]:.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def scaling(spreads: Sequence[Spread]) -> Figure:
    """Variance of the scores against the width, with and without 1/√d."""
    dims = [s.dim for s in spreads]
    traces = [
        go.Scatter(x=dims, y=[s.variance for s in spreads], mode="markers", name="q·k"),
        go.Scatter(x=dims, y=[s.scaled_variance for s in spreads], mode="markers", name="q·k / √d"),
        _line(dims, [float(dim) for dim in dims], "theory: d"),
        _line(dims, [1.0] * len(dims), "theory: 1"),
    ]
    traces[0].marker.size = traces[1].marker.size = 14
    layout = {
        "xaxis": drawing.axis("width d", **drawing.log_ticks(dims)),
        "yaxis": drawing.axis("variance of the scores", **drawing.log_ticks([1, 10, 100, 1000])),
    }
    last = spreads[-1]
    alt = {
        "en": f"At width {last.dim} scores have variance {last.variance:.0f}; "
        f"divided by the root of the width, {last.scaled_variance:.2f}.",
        "zh": f"维度 {last.dim} 时分数方差为 {last.variance:.0f}，"
        f"除以 √d 后为 {last.scaled_variance:.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def saturation(spreads: Sequence[Spread]) -> Figure:
    """How much of the weight one key takes, with and without 1/√d."""
    dims = [s.dim for s in spreads]
    traces = [
        go.Scatter(x=dims, y=[s.largest for s in spreads], mode="lines+markers", name="q·k"),
        go.Scatter(
            x=dims, y=[s.scaled_largest for s in spreads], mode="lines+markers", name="q·k / √d"
        ),
        _line(dims, [1 / KEYS] * len(dims), "all alike"),
    ]
    layout = {
        "xaxis": drawing.axis("width d", **drawing.log_ticks(dims)),
        "yaxis": drawing.axis("largest weight (share)", range=[0, 1]),
    }
    last = spreads[-1]
    alt = {
        "en": f"Of {KEYS} keys one takes {last.largest:.2f} of the weight at width {last.dim} "
        f"without scaling, {last.scaled_largest:.2f} with it.",
        "zh": f"维度 {last.dim}、{KEYS} 个键：不缩放时最大权重 {last.largest:.2f}，"
        f"缩放后 {last.scaled_largest:.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def row_sums(sums: RowSums) -> Figure:
    """Sums of the output rows with v after the softmax, and with v inside it."""
    tokens = list(range(1, len(sums.right) + 1))
    traces = [
        go.Bar(x=tokens, y=sums.right, name="softmax(QKᵀ/√d)·V"),
        go.Bar(x=tokens, y=sums.wrong, name="softmax(QKᵀ/√d·V)"),
    ]
    layout = {
        "barmode": "group",
        "xaxis": drawing.axis("token", dtick=1),
        "yaxis": drawing.axis("sum of the output row"),
    }
    alt = {
        "en": f"With V inside the softmax every row sums to {sums.wrong[0]:.2f}; "
        f"outside, sums run from {min(sums.right):.2f} to {max(sums.right):.2f}.",
        "zh": f"V 放进 softmax 时每行之和都是 {sums.wrong[0]:.2f}；"
        f"放在外面则从 {min(sums.right):.2f} 到 {max(sums.right):.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=ZH)


def heads(word: str, maps: Sequence[Rows], entropy_nat: Sequence[float]) -> Figure:
    """What each head looks at in one word, four heads a row."""
    titles = [f"head {h + 1}: {nats:.2f} nat" for h, nats in enumerate(entropy_nat)]
    across = min(4, len(maps))
    down = -(-len(maps) // across)
    layout: dict[str, object] = {
        "grid": {"rows": down, "columns": across, "pattern": "independent", "xgap": 0.08},
        "annotations": [_panel_title(text, h) for h, text in enumerate(titles)],
        "margin": {"l": 20, "r": 20, "t": 50, "b": 20},
    }
    traces = []
    for h, rows in enumerate(maps):
        n = "" if h == 0 else str(h + 1)
        shown = {"xaxis": f"x{n}", "yaxis": f"y{n}", "showscale": False}
        traces.append(go.Heatmap(z=rows, zmin=0, zmax=1, **shown))
        x_title, y_title = "key" if h // across == down - 1 else "", "" if h % across else "query"
        layout[f"xaxis{n}"] = drawing.label_axis(x_title, list(word), tickangle=0)
        layout[f"yaxis{n}"] = drawing.matrix_rows(
            y_title, list(word), beside=f"x{n}", showticklabels=h % across == 0
        )
    zh = {**ZH, **{t: f"头 {h + 1}：{t.split(': ')[1]}" for h, t in enumerate(titles)}}
    alt = {
        "en": f"Weights of {len(maps)} heads on {word}. " + "; ".join(titles) + ".",
        "zh": f"{len(maps)} 个头在 {word} 上的权重。" + "；".join(zh[t] for t in titles) + "。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=zh)


def relation_accuracy(
    relations: Sequence[str], one: Sequence[float], many: Sequence[float], heads: int
) -> Figure:
    """How often one head, and several, answer each question."""
    name = f"{heads} heads" if heads > 1 else "1 head (again)"
    traces = [
        go.Bar(y=one, name="1 head"),
        go.Bar(y=many, name=name),
    ]
    layout = {
        "barmode": "group",
        "xaxis": drawing.label_axis("letter asked for", relations),
        "yaxis": drawing.axis("right answers (share)", range=[0, 1]),
    }
    means = [sum(values) / len(values) for values in (one, many)]
    zh = {**ZH, name: f"{heads} 个头" if heads > 1 else "1 个头（再一次）"}
    alt = {
        "en": f"Right answers: {means[0]:.2f} with 1 head, {means[1]:.2f} with {name}.",
        "zh": f"答对比例：1 个头 {means[0]:.2f}，{zh[name]} {means[1]:.2f}。",
    }
    return drawing.finish(traces, layout, alt=alt, zh=zh)


def division(relations: Sequence[str], lost: Rows) -> Figure:
    """What each relation loses when one head is silenced."""
    rows = [[max(0.0, value) for value in row] for row in zip(*lost, strict=True)]
    names = [str(h + 1) for h in range(len(lost))]
    trace = go.Heatmap(
        z=rows,
        zmin=0,
        zmax=1,
        text=drawing.cell_texts(rows),
        texttemplate="%{text}",
        showscale=False,
    )
    layout = {
        "xaxis": drawing.label_axis("head silenced", names),
        "yaxis": drawing.matrix_rows("letter asked for", relations, scaleratio=0.55),
    }
    worst = [max(range(len(names)), key=lambda h: row[h]) for row in rows]
    said = [
        (relation, names[w], row[w])
        for relation, w, row in zip(relations, worst, rows, strict=True)
    ]
    alt = {
        "en": "; ".join(f"“{r}” loses {x:.2f} without head {h}" for r, h, x in said) + ".",
        "zh": "；".join(f"关掉头 {h}，“{ZH[r]}”下降 {x:.2f}" for r, h, x in said) + "。",
    }
    return drawing.finish([trace], layout, alt=alt, zh=ZH)


def _line(x: Sequence[float], y: Sequence[float], name: str) -> go.Scatter:
    return go.Scatter(x=x, y=y, name=name, mode="lines", line={"dash": "dot"})


def _panel_title(text: str, panel: int) -> Mapping[str, object]:
    n = "" if panel == 0 else str(panel + 1)
    place = {"xref": f"x{n} domain", "yref": f"y{n} domain", "x": 0.5, "y": 1.02}
    return {"text": text, "showarrow": False, "xanchor": "center", "yanchor": "bottom", **place}
