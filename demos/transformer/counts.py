"""Parameters and FLOPs of the Transformer, by arithmetic; C is the width, F the hidden width."""

from __future__ import annotations

from ..attention.counts import multi_head_flops, multi_head_parameters
from .reference import Config


def feed_forward_parameters(width: int, hidden: int) -> int:
    """Two linear maps with biases: C·F + F + F·C + C."""
    return 2 * width * hidden + hidden + width


def encoder_layer_parameters(width: int, hidden: int) -> int:
    """One attention, one feed-forward part, two LayerNorms of 2·C each."""
    return multi_head_parameters(width) + feed_forward_parameters(width, hidden) + 4 * width


def decoder_layer_parameters(width: int, hidden: int) -> int:
    """Two attentions, one feed-forward part, three LayerNorms."""
    return 2 * multi_head_parameters(width) + feed_forward_parameters(width, hidden) + 6 * width


def parameters(config: Config) -> int:
    """Everything that is trained: embeddings, layers, last norms, output layer."""
    layer = encoder_layer_parameters(config.width, config.hidden)
    layer += decoder_layer_parameters(config.width, config.hidden)
    embeddings = (config.symbols + 1) * config.width
    last_norms = 4 * config.width if config.norm_first else 0
    output = config.width * config.symbols + config.symbols
    return embeddings + config.layers * layer + last_norms + output


def forward_flops(config: Config, batch: int, source: int, target: int) -> int:
    """FLOPs of the matrix products of one forward pass; training costs about three times that."""
    width, hidden = config.width, config.hidden
    encoder = multi_head_flops(batch, source, source, width)
    decoder = multi_head_flops(batch, target, target, width)
    decoder += multi_head_flops(batch, target, source, width)
    feed = 4 * batch * (source + target) * width * hidden
    output = 2 * batch * target * width * config.symbols
    return config.layers * (encoder + decoder + feed) + output
