"""The Transformer demo: an encoder-decoder learns to write a sequence backwards."""

from __future__ import annotations

import math
from typing import Annotated, Any

from labdeck.contract import Number, Param, Result, Run, demo


@demo(
    question={
        "en": "Can a small Transformer learn to write backwards, and where does it look?",
        "zh": "一个很小的 Transformer 能学会倒着写序列吗？它在看哪里？",
    },
    source="Vaswani et al., Attention Is All You Need, 2017, arXiv:1706.03762, §3",
    limit_s=300,
)
def reverse(
    run: Run,
    length: Annotated[int, Param("symbols in a sequence", low=2, high=40, cuda=20)] = 10,
    steps: Annotated[int, Param("training steps", low=1, high=5000, cuda=1000)] = 200,
    width: Annotated[int, Param("channels; a multiple of 8", low=8, high=512, cuda=128)] = 64,
    layers: Annotated[int, Param("layers of encoder and decoder", low=1, high=6)] = 2,
    positions: Annotated[bool, Param("tell the model where each symbol stands")] = True,
    norm_first: Annotated[bool, Param("LayerNorm before each part, not after (the paper)")] = True,
) -> Result:
    """Train on random sequences, test by letting the model write on its own."""
    from . import counts, figures, reference, reversal

    config = reference.Config(
        symbols=len(reversal.SYMBOLS),
        width=width,
        heads=4,
        layers=layers,
        hidden=2 * width,
        positions=positions,
        norm_first=norm_first,
    )
    lesson = reversal.teach(
        config,
        length,
        steps,
        seed=run.seed,
        device=run.device,
        dtype=run.torch_dtype,
        report=lambda step, loss: run.step(step, steps, loss=loss),
    )
    chance = math.log(len(reversal.SYMBOLS))
    source = reversal.draw(1, length, run.generator("cpu"))[0].to(run.device)
    seen = reversal.look(lesson.model, source)
    numbers = {
        **_numbers(lesson, seen, chance),
        "parameters": Number(
            counts.parameters(config),
            kind="derived",
            label={"en": "parameters of the model", "zh": "模型参数量"},
        ),
        "train_flops": Number(
            3 * steps * counts.forward_flops(config, reversal.BATCH, length, length),
            "FLOP",
            kind="derived",
            label={
                "en": "FLOPs of training, backward counted as twice forward",
                "zh": "训练运算量（反向按前向的两倍计）",
            },
        ),
    }
    drawn = {
        "loss": figures.loss(lesson.losses, chance),
        "accuracy": figures.accuracy(lesson.scores),
        "cross_attention": figures.cross_attention(seen),
    }
    return Result(numbers, drawn)


def _numbers(lesson: Any, seen: Any, chance: float) -> dict[str, Number]:
    last = lesson.scores[-1]
    return {
        "exact_match": Number(
            last.exact,
            label={
                "en": "share of sequences written without a mistake",
                "zh": "整句完全写对的比例",
            },
        ),
        "symbol_accuracy": Number(
            last.symbols,
            label={"en": "share of right symbols, on its own", "zh": "自己往下写时符号正确的比例"},
        ),
        "taught_accuracy": Number(
            last.taught,
            label={
                "en": "share of right symbols, shown the right prefix",
                "zh": "给出正确前文时符号正确的比例",
            },
        ),
        "loss": Number(
            lesson.losses[-1],
            "nat",
            label={"en": "loss of the last step, per symbol", "zh": "最后一步的损失（每符号）"},
        ),
        "loss_chance": Number(
            chance,
            "nat",
            kind="derived",
            label={"en": "loss of guessing, per symbol", "zh": "瞎猜的损失（每符号）"},
        ),
        "mirrored_weight": Number(
            seen.mirrored,
            label={
                "en": "mean attention on the mirrored symbol",
                "zh": "镜像位置上的平均注意力",
            },
        ),
        "steps": Number(
            len(lesson.losses),
            kind="derived",
            label={"en": "training steps", "zh": "训练步数"},
        ),
    }
