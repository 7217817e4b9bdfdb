"""The tiling demo: exact attention that never holds the score matrix."""

from __future__ import annotations

from typing import Annotated, Any

from labdeck.contract import Number, Param, Result, Run, demo

MIB = 2**20


@demo(
    question={
        "en": "How can attention be exact without ever holding the score matrix?",
        "zh": "不存下整个分数矩阵，注意力怎么还能算得一点不差？",
    },
    source="Dao, FlashAttention-2, 2023, arXiv:2307.08691, Algorithm 1",
    limit_s=300,
)
def tiling(
    run: Run,
    tokens: Annotated[int, Param("sequence length", low=2, high=8192, cuda=8192)] = 1000,
    tile: Annotated[int, Param("queries and keys in a tile", low=1, high=1024)] = 64,
    heads: Annotated[int, Param("heads", low=1, high=32)] = 2,
    width: Annotated[int, Param("width of a head", low=1, high=256)] = 64,
    causal: Annotated[bool, Param("each token sees only earlier ones and itself")] = False,
) -> Result:
    """Compare tiled and plain attention in float32 and float64, whatever dtype the run has."""
    from . import counts, figures, tiles

    inputs = tiles.draw(
        heads, tokens, width, causal=causal, generator=run.generator("cpu"), device=run.device
    )
    errors = tiles.compare(inputs, tile, report=lambda step, total: run.step(step, total + 1))
    overflow = tiles.overflow(inputs, tile)
    peaks = tiles.peaks(inputs, tile)
    run.step(len(errors.sizes) + 1, len(errors.sizes) + 1)
    score = heads * counts.score_bytes(tokens, 4)
    numbers = {
        **_errors(errors, overflow),
        **_memory(peaks, score, counts.tile_bytes(tile, tile, width, 4)),
    }
    drawn = {
        "running": figures.running(tiles.follow(inputs, tile)),
        "error": figures.error(errors),
        "memory": figures.memory(tile, width),
        "traffic": figures.traffic(tile, width),
    }
    return Result(numbers, drawn)


def _errors(errors: Any, overflow: Any) -> dict[str, Number]:
    return {
        "error_fp32": Number(
            max(errors.single),
            label={
                "en": "largest error in float32, over all tile sizes",
                "zh": "float32 最大误差（所有分块大小）",
            },
        ),
        "error_fp64": Number(
            max(errors.double),
            label={
                "en": "largest error in float64, over all tile sizes",
                "zh": "float64 最大误差（所有分块大小）",
            },
        ),
        "error_plain_fp32": Number(
            errors.plain,
            label={
                "en": "largest error of plain attention in float32",
                "zh": "不分块 float32 的最大误差",
            },
        ),
        "error_forgot": Number(
            errors.forgot_relative,
            label={
                "en": "relative error when the rescaling is forgotten",
                "zh": "忘了重新缩放时的相对误差",
            },
        ),
        "overflow": Number(
            overflow.without_max,
            label={
                "en": "share of rows lost to overflow without the maximum, logits 40 times larger",
                "zh": "logits 放大 40 倍且不减最大值时溢出的行占比",
            },
        ),
        "overflow_tiled": Number(
            overflow.tiled,
            label={
                "en": "share of rows lost to overflow with the running maximum",
                "zh": "减去累计最大值时溢出的行占比",
            },
        ),
    }


def _memory(peaks: Any, score: int, tile: int) -> dict[str, Number]:
    return {
        "peak_plain": Number(
            peaks.plain / MIB,
            "MiB",
            label={"en": "peak memory of plain attention", "zh": "不分块的峰值内存"},
        ),
        "peak_tiled": Number(
            peaks.tiled / MIB,
            "MiB",
            label={"en": "peak memory of tiled attention", "zh": "分块的峰值内存"},
        ),
        "peak_ratio": Number(
            peaks.plain / peaks.tiled,
            label={"en": "peak memory, plain over tiled", "zh": "峰值内存之比（不分块 / 分块）"},
        ),
        "score_matrix": Number(
            score / MIB,
            "MiB",
            kind="derived",
            label={"en": "score matrix of all heads, float32", "zh": "全部头的分数矩阵（float32）"},
        ),
        "tile_set": Number(
            tile / 1024,
            "KiB",
            kind="derived",
            label={"en": "working set of one tile, float32", "zh": "一个分块的工作集（float32）"},
        ),
    }
