"""A first demo of your own: it needs nothing but Python, so it runs anywhere.

Summary:  How fast the mean of dice throws settles.
Source:   Law of large numbers; the standard error of a mean is sigma / sqrt(n).
"""

from __future__ import annotations

import random
from typing import Annotated

from labdeck.contract import Figure, Number, Param, Result, Run, demo


@demo(
    question={"en": "How fast does a mean settle?", "zh": "平均值多快稳定下来？"},
    source="law of large numbers; standard error = sigma / sqrt(n)",
)
def throws(
    run: Run,
    count: Annotated[int, Param("dice thrown", low=1, high=100_000)] = 2000,
) -> Result:
    """Throw a die `count` times and follow the mean."""
    dice = random.Random(run.seed)
    total, means = 0, []
    for n in range(1, count + 1):
        total += dice.randint(1, 6)
        means.append(round(total / n, 4))
        if n % 500 == 0:
            run.step(n, count, mean=means[-1])
    steps = list(range(1, count + 1))
    figure = Figure(
        spec={
            "data": [{"type": "scatter", "mode": "lines", "name": "mean", "x": steps, "y": means}],
            "layout": {
                "xaxis": {"title": {"text": "throws"}, "type": "log"},
                "yaxis": {"title": {"text": "mean of the throws"}},
            },
        },
        alt={
            "en": f"The mean of {count} throws ends at {means[-1]:.2f}; 3.5 is expected.",
            "zh": f"投掷 {count} 次后平均值为 {means[-1]:.2f}，期望值为 3.5。",
        },
        words={"zh": {"mean": "平均值", "throws": "投掷次数", "mean of the throws": "点数平均值"}},
    )
    off = Number(abs(means[-1] - 3.5), label={"en": "distance from 3.5", "zh": "与 3.5 的差"})
    numbers = {
        "mean": Number(means[-1], label={"en": "mean of the throws", "zh": "点数平均值"}),
        "off": off,
        "count": Number(count, kind="derived", label={"en": "throws", "zh": "投掷次数"}),
    }
    return Result(numbers, {"mean": figure})
