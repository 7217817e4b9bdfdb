"""The LoRA demo: full fine-tuning against a few numbers more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from typing import Annotated, Any

from labdeck.contract import Number, Param, Result, Run, demo


@demo(
    question={
        "en": "How few numbers does it take to change a model's mind?",
        "zh": "要让模型改变主意，最少得动多少个参数？",
    },
    source="Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021, "
    "arXiv:2106.09685, §4.1",
    limit_s=300,
)
def finetune(
    run: Run,
    rank: Annotated[int, Param("rank of the adapters", low=1, high=128)] = 8,
    alpha: Annotated[
        float, Param("the update is scaled by alpha / rank", low=0.1, high=256)
    ] = 16.0,
    hidden: Annotated[int, Param("width of the model", low=8, high=4096, cuda=2048)] = 256,
    steps: Annotated[int, Param("training steps of each stage", low=1, high=5000)] = 400,
    repeats: Annotated[int, Param("seeds, each with its own data", low=1, high=10)] = 3,
) -> Result:
    """Train on upright digits; adapt to turned ones with all weights, and with adapters."""
    from . import adaptation, counts, figures, glyphs

    total = 3 * steps * repeats
    trials = [
        adaptation.trial(
            hidden,
            rank,
            alpha,
            steps,
            adaptation.Rates(),
            seed=run.seed + repeat,
            device=run.device,
            dtype=run.torch_dtype,
            report=lambda step, loss, done=3 * steps * repeat: run.step(
                done + step, total, loss=loss
            ),
        )
        for repeat in range(repeats)
    ]
    widths = adaptation.widths(hidden)
    full, low = counts.model_parameters(widths), counts.adapters_parameters(widths, rank)
    numbers = {
        **_accuracies(trials),
        **_sizes(full, low),
        **_states(trials),
        "merge_error": Number(
            max(trial.merge_error for trial in trials),
            label={
                "en": "largest difference between merged and unmerged logits",
                "zh": "合并前后 logits 的最大误差",
            },
        ),
        "energy": _over(
            trials,
            lambda trial: trial.full_energy[min(rank, len(trial.full_energy)) - 1],
            "share of the full update that the best matrix of this rank holds",
            "全量更新中同秩最优近似所占的能量",
        ),
        "rank": Number(rank, kind="derived", label={"en": "rank", "zh": "秩"}),
    }
    drawn = {
        "accuracy": figures.accuracy(trials, rank),
        "loss": figures.loss(trials, rank),
        "tasks": figures.tasks(trials, rank),
        "energy": figures.energy(trials, rank),
        "samples": figures.samples(*glyphs.strips(run.generator("cpu"))),
    }
    return Result(numbers, drawn)


def _over(
    trials: Sequence[Any], read: Callable[[Any], float], en: str, zh: str, unit: str = ""
) -> Number:
    values = [float(read(trial)) for trial in trials]
    spread = stdev(values) if len(values) > 1 else None
    return Number(fmean(values), unit, spread=spread, label={"en": en, "zh": zh})


def _accuracies(trials: Sequence[Any]) -> dict[str, Number]:
    return {
        "accuracy_base": _over(
            trials, lambda t: t.base_new, "new task, no fine-tuning", "新任务，不微调"
        ),
        "accuracy_full": _over(
            trials, lambda t: t.full.accuracies[-1], "new task, all weights", "新任务，全量微调"
        ),
        "accuracy": _over(trials, lambda t: t.low.accuracies[-1], "new task, LoRA", "新任务，LoRA"),
        "old_base": _over(
            trials, lambda t: t.base_old, "old task, no fine-tuning", "旧任务，不微调"
        ),
        "old_full": _over(
            trials, lambda t: t.full.kept, "old task after full fine-tuning", "旧任务，全量微调后"
        ),
        "old_attached": _over(
            trials, lambda t: t.low.kept, "old task, LoRA attached", "旧任务，LoRA 未取下"
        ),
        "old_detached": _over(
            trials, lambda t: t.low_old_detached, "old task, LoRA taken off", "旧任务，取下 LoRA"
        ),
        "loss_full": _over(
            trials,
            lambda t: fmean(t.full.losses[-20:]),
            "loss of the last steps, all weights",
            "末尾损失，全量微调",
            "nat",
        ),
        "loss": _over(
            trials,
            lambda t: fmean(t.low.losses[-20:]),
            "loss of the last steps, LoRA",
            "末尾损失，LoRA",
            "nat",
        ),
    }


def _sizes(full: int, low: int) -> dict[str, Number]:
    return {
        "parameters": Number(
            full, kind="derived", label={"en": "parameters of the model", "zh": "模型参数量"}
        ),
        "trainable": Number(
            low, kind="derived", label={"en": "parameters of the adapters", "zh": "LoRA 参数量"}
        ),
        "trainable_share": Number(
            low / full,
            kind="derived",
            label={
                "en": "parameters of the adapters over those of the model",
                "zh": "LoRA 参数量与模型参数量之比",
            },
        ),
    }


def _states(trials: Sequence[Any]) -> dict[str, Number]:
    return {
        "state": Number(
            trials[0].low.state_bytes / 1024,
            "KiB",
            label={"en": "optimizer state, LoRA", "zh": "优化器状态，LoRA"},
        ),
        "state_full": Number(
            trials[0].full.state_bytes / 1024,
            "KiB",
            label={"en": "optimizer state, all weights", "zh": "优化器状态，全量微调"},
        ),
    }
