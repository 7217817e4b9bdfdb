"""The mixture-of-experts demo: who does the work, with and without the balancing loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from typing import Annotated, Any

from labdeck.contract import ContractError, Number, Param, Result, Run, demo


@demo(
    question={
        "en": "Who does the work when a router is free to choose, and what does balance cost?",
        "zh": "让路由器自由选择，活都让谁干了？均衡又要付出什么代价？",
    },
    source="Fedus, Zoph, Shazeer, Switch Transformers, 2021, arXiv:2101.03961, eq. 1-6",
    limit_s=300,
)
def balance(
    run: Run,
    experts: Annotated[int, Param("experts", low=2, high=64)] = 8,
    top_k: Annotated[int, Param("experts for each token", low=1, high=8)] = 1,
    alpha: Annotated[float, Param("weight of the balancing loss", low=0, high=10)] = 0.3,
    capacity_factor: Annotated[
        float, Param("room at each expert, in even shares", low=0.25, high=8)
    ] = 1.25,
    steps: Annotated[int, Param("training steps", low=1, high=5000, cuda=1000)] = 300,
    repeats: Annotated[int, Param("seeds, each with its own data", low=1, high=10)] = 3,
) -> Result:
    """Train one classifier for each weight of the balancing loss, and one dense layer as large."""
    from . import contest, figures

    if top_k > experts:
        raise ContractError(f"top_k = {top_k} is more than experts = {experts}", "lower top_k")
    plan = contest.Plan(experts, top_k, alpha, capacity_factor, steps, repeats)
    seen = contest.hold(
        plan,
        seed=run.seed,
        device=run.device,
        dtype=run.torch_dtype,
        report=lambda step, total, loss: run.step(step, total, loss=loss),
    )
    numbers = {
        **_numbers("without", seen.without, "without the balancing loss", "无均衡损失"),
        **_numbers("with", seen.balanced, "with the balancing loss", "有均衡损失"),
        **_numbers("paper", seen.as_paper, "with the paper's weight of it", "均衡损失取论文系数"),
        **_sizes(*plan.sizes()),
        **_settings(alpha, contest.PAPER_ALPHA),
        "accuracy_dense": _over(
            seen.dense,
            lambda outcome: outcome.accuracy,
            "accuracy of one dense layer of as many FLOPs",
            "同等计算量稠密层的准确率",
        ),
    }
    first = (seen.without[0], seen.balanced[0])
    drawn = {
        "load": figures.load(*first, capacity_factor),
        "busiest": figures.busiest(*first),
        "routing": figures.routing(*first),
        "accuracy": figures.accuracy(seen.dense, seen.without, seen.balanced, capacity_factor),
    }
    return Result(numbers, drawn)


def _over(outcomes: Sequence[Any], read: Callable[[Any], float], en: str, zh: str) -> Number:
    values = [float(read(outcome)) for outcome in outcomes]
    spread = stdev(values) if len(values) > 1 else None
    return Number(fmean(values), spread=spread, label={"en": en, "zh": zh})


def _numbers(name: str, outcomes: Sequence[Any], en: str, zh: str) -> dict[str, Number]:
    def over(read: Callable[[Any], float], what: str, was: str) -> Number:
        return _over(outcomes, read, f"{what}, {en}", f"{was}（{zh}）")

    return {
        f"max_load_{name}": over(
            lambda o: o.max_load, "busiest expert's load over the mean", "最忙专家负载与平均之比"
        ),
        f"idle_{name}": over(
            lambda o: o.idle, "experts with less than a tenth of an even share", "几乎闲置的专家数"
        ),
        f"dropped_{name}": over(
            lambda o: o.dropped,
            "share of tokens that find their expert full",
            "因专家满载而丢弃的比例",
        ),
        f"accuracy_{name}": over(lambda o: o.accuracy, "accuracy", "准确率"),
        f"accuracy_capped_{name}": over(
            lambda o: o.accuracy_capped, "accuracy under the capacity", "受容量限制时的准确率"
        ),
        f"information_{name}": over(
            lambda o: o.information,
            "normalised mutual information of regime and expert",
            "数据类别与专家的归一化互信息",
        ),
    }


def _sizes(total: int, active: int) -> dict[str, Number]:
    return {
        "parameters": Number(
            total,
            kind="derived",
            label={"en": "parameters of the layer", "zh": "MoE 层总参数量"},
        ),
        "active_parameters": Number(
            active,
            kind="derived",
            label={"en": "parameters that one token passes through", "zh": "每个词元激活的参数量"},
        ),
        "active_share": Number(
            active / total,
            kind="derived",
            label={"en": "share of the parameters that is active", "zh": "激活参数占比"},
        ),
    }


def _settings(alpha: float, paper: float) -> dict[str, Number]:
    return {
        "alpha": Number(
            alpha,
            kind="derived",
            label={"en": "weight of the balancing loss", "zh": "均衡损失系数"},
        ),
        "alpha_paper": Number(
            paper,
            kind="quoted",
            label={"en": "weight of the balancing loss in the paper", "zh": "论文中的均衡损失系数"},
        ),
    }
