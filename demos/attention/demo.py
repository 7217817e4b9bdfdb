"""The attention demos: a formula checked, and weights that a small model learned."""

from __future__ import annotations

import math
from typing import Annotated, Any

from labdeck.contract import ContractError, Number, Param, Result, Run, demo

SENTENCE = ("trophy", "won't fit", "suitcase", "because", "it", "is too", "big")
WORD = "ATTENTION"
DIMS = (4, 16, 64, 256, 1024)


@demo(
    question={
        "en": "What does “it” look at, and what does each part of the formula do?",
        "zh": "“它”在看谁？公式里的每一部分各有什么用？",
    },
    source="Vaswani et al., Attention Is All You Need, 2017, arXiv:1706.03762, eq. 1",
)
def scaled_dot_product(
    run: Run,
    width: Annotated[int, Param("channels of the model", low=8, high=256)] = 32,
    steps: Annotated[int, Param("training steps", low=1, high=5000)] = 600,
    d_k: Annotated[int, Param("width of q and k in the numbers on scaling", low=1, high=4096)] = 64,
) -> Result:
    """Train a two-layer reader of Winograd sentences, look at its weights, test the formula."""
    from . import coreference, counts, figures, formula, reference

    generator = run.generator("cpu")
    reading = coreference.train(
        width,
        steps,
        seed=run.seed,
        device=run.device,
        dtype=run.torch_dtype,
        report=lambda step, loss: run.step(step, steps, loss=loss),
    )
    big = coreference.look(reading.reader, SENTENCE)
    small = coreference.look(reading.reader, (*SENTENCE[:-1], "small"))
    it_big, it_small = (rows[coreference.IT].tolist() for rows in (big, small))
    spreads = [formula.spread(dim, generator) for dim in DIMS]
    at_d_k = formula.spread(d_k, generator)
    sums = formula.row_sums(len(SENTENCE), 8, generator)
    flops = counts.attention_flops(1, 1, len(SENTENCE), len(SENTENCE), width)
    numbers = {
        **_reading_numbers(reading, it_big, it_small, flops),
        **_entropies(reference.entropy(big).tolist(), coreference.IT),
        **_formula_numbers(at_d_k, sums, formula.error_against_torch(generator)),
    }
    drawn = {
        "weights": figures.weights(SENTENCE, big.tolist()),
        "flip": figures.flip(SENTENCE, it_big, it_small),
        "scaling": figures.scaling(spreads),
        "saturation": figures.saturation(spreads),
        "row_sums": figures.row_sums(sums),
    }
    return Result(numbers, drawn)


@demo(
    question={
        "en": "Is one head, with its one average, really worse than several?",
        "zh": "单个头只有一个加权平均，真的比不上多个头吗？",
    },
    source="Vaswani et al., Attention Is All You Need, 2017, arXiv:1706.03762, §3.2.2",
)
def multi_head(
    run: Run,
    heads: Annotated[int, Param("heads; must divide the width", low=1, high=8)] = 4,
    width: Annotated[int, Param("channels of all heads together", low=8, high=256)] = 64,
    steps: Annotated[int, Param("training steps for each model", low=1, high=5000)] = 600,
) -> Result:
    """Train one head and several, equally large, to answer four questions about each letter."""
    from . import counts, figures, formula, relations

    if width % heads:
        raise ContractError(
            f"heads = {heads} does not divide width = {width}", "change one of them"
        )

    def train(count: int, done: int) -> relations.Answers:
        return relations.train(
            width,
            count,
            steps,
            seed=run.seed,
            device=run.device,
            dtype=run.torch_dtype,
            report=lambda step, loss: run.step(done + step, 2 * steps, loss=loss),
        )

    one, many = train(1, 0), train(heads, steps)
    maps = relations.look(many.model, WORD).tolist()
    error = formula.multi_head_error_against_torch(width, heads, run.generator("cpu"))
    numbers = {
        **_heads_numbers(one, many),
        "entropy_uniform": Number(
            math.log(len(WORD)),
            "nat",
            kind="derived",
            label={"en": "entropy if all letters weighed the same", "zh": "完全平均时的熵"},
        ),
        "parameters": Number(
            counts.multi_head_parameters(width),
            kind="derived",
            label={"en": "parameters of the attention layer", "zh": "注意力层的参数量"},
        ),
        "error_fp64": Number(
            error,
            label={
                "en": "largest difference from torch.nn.MultiheadAttention in float64",
                "zh": "与 torch.nn.MultiheadAttention 的最大误差（float64）",
            },
        ),
    }
    drawn = {
        "heads": figures.heads(WORD, maps, many.entropy_nat),
        "accuracy": figures.relation_accuracy(
            relations.RELATIONS, one.accuracy, many.accuracy, heads
        ),
        "division": figures.division(relations.RELATIONS, many.lost),
    }
    return Result(numbers, drawn)


def _reading_numbers(
    reading: Any, big: list[float], small: list[float], flops: int
) -> dict[str, Number]:
    return {
        "accuracy": Number(
            reading.accuracy,
            label={
                "en": "share of unseen sentences where “it” is understood",
                "zh": "未见过的句子中“它”判断正确的比例",
            },
        ),
        "it_on_trophy": Number(
            big[0],
            label={"en": "weight of “it” on the trophy: too big", "zh": "太大时“它”对奖杯的权重"},
        ),
        "it_on_suitcase": Number(
            small[2],
            label={
                "en": "weight of “it” on the suitcase: too small",
                "zh": "太小时“它”对手提箱的权重",
            },
        ),
        "parameters": Number(
            reading.parameters,
            kind="derived",
            label={"en": "parameters of the model", "zh": "模型参数量"},
        ),
        "flops": Number(
            flops,
            "FLOP",
            kind="derived",
            label={
                "en": "FLOPs of one attention over the sentence",
                "zh": "该句一次注意力的运算量",
            },
        ),
    }


def _entropies(nats: list[float], it: int) -> dict[str, Number]:
    return {
        "entropy": Number(
            sum(nats) / len(nats),
            "nat",
            label={"en": "mean entropy of the weights", "zh": "注意力权重的平均熵"},
        ),
        "entropy_it": Number(
            nats[it],
            "nat",
            label={"en": "entropy of the weights of “it”", "zh": "“它”的注意力权重的熵"},
        ),
        "entropy_uniform": Number(
            math.log(len(nats)),
            "nat",
            kind="derived",
            label={"en": "entropy if all words weighed the same", "zh": "完全平均时的熵"},
        ),
    }


def _formula_numbers(spread: Any, sums: Any, error: float) -> dict[str, Number]:
    return {
        "error_fp64": Number(
            error,
            label={
                "en": "largest difference from torch's attention in float64",
                "zh": "与 torch 自带注意力的最大误差（float64）",
            },
        ),
        "d_k": Number(
            spread.dim, kind="derived", label={"en": "width of q and k", "zh": "q 与 k 的维度"}
        ),
        "variance": Number(spread.variance, label={"en": "variance of q·k", "zh": "q·k 的方差"}),
        "variance_scaled": Number(
            spread.scaled_variance, label={"en": "variance of q·k/√d", "zh": "q·k/√d 的方差"}
        ),
        "largest_weight": Number(
            spread.largest,
            label={"en": "largest weight without scaling", "zh": "不缩放时的最大权重"},
        ),
        "largest_weight_scaled": Number(
            spread.scaled_largest,
            label={"en": "largest weight with scaling", "zh": "缩放后的最大权重"},
        ),
        "wrong_row_sum": Number(
            sum(sums.wrong) / len(sums.wrong),
            label={
                "en": "mean row sum of the output with V inside the softmax",
                "zh": "V 写进 softmax 时输出每行之和的均值",
            },
        ),
        "wrong_row_sum_error": Number(
            max(abs(value - 1) for value in sums.wrong),
            label={
                "en": "largest distance of such a row sum from 1",
                "zh": "这些行和与 1 的最大差距",
            },
        ),
        "wrong_difference": Number(
            sums.difference,
            label={
                "en": "relative difference between the two outputs",
                "zh": "两种写法输出的相对差异",
            },
        ),
    }


def _heads_numbers(one: Any, many: Any) -> dict[str, Number]:
    numbers = {
        "accuracy_one": Number(
            one.mean_accuracy,
            label={"en": "right answers with one head", "zh": "单头答对比例"},
        ),
        "accuracy": Number(
            many.mean_accuracy,
            label={"en": "right answers with all heads", "zh": "多头答对比例"},
        ),
        "entropy_one": Number(
            one.entropy_nat[0],
            "nat",
            label={"en": "entropy of the one head's weights", "zh": "单头注意力权重的熵"},
        ),
        "divergence": Number(
            many.divergence_nat,
            "nat",
            label={
                "en": "mean Jensen-Shannon divergence between two heads",
                "zh": "两个头之间的平均 JS 散度",
            },
        ),
    }
    for head, nats in enumerate(many.entropy_nat, start=1):
        label = {"en": f"entropy of head {head}'s weights", "zh": f"第 {head} 个头的权重的熵"}
        numbers[f"entropy_{head}"] = Number(nats, "nat", label=label)
    return numbers
