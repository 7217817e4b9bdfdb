"""An encoder-decoder Transformer, written to be read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..attention.reference import MultiHeadAttention, causal_mask


@dataclass(frozen=True)
class Config:
    """The sizes of a Transformer.

    Args:
        symbols: size of the vocabulary, without the start symbol.
        width: C, channels of every token; a multiple of heads, and even.
        heads: H.
        layers: layers of the encoder, and of the decoder.
        hidden: channels inside each feed-forward part.
        positions: add sinusoids to the embeddings; without them order is invisible.
        norm_first: LayerNorm before each part (pre-LN) rather than after the sum (the paper).
    """

    symbols: int
    width: int = 64
    heads: int = 4
    layers: int = 2
    hidden: int = 128
    positions: bool = True
    norm_first: bool = True

    def __post_init__(self) -> None:
        if min(self.symbols, self.heads, self.layers, self.hidden) < 1:
            raise ValueError(f"symbols, heads, layers and hidden must be 1 or more, got {self}")
        if self.width % self.heads or self.width % 2:
            raise ValueError(f"width must be even and a multiple of heads, got {self}")


class Output(NamedTuple):
    """What the Transformer returns: logits, and where the last decoder layer looked."""

    logits: Tensor
    cross_weights: Tensor


def sinusoids(tokens: int, width: int) -> Tensor:
    """Give each position a vector of sines and cosines of falling frequency.

    PE[t, 2i] = sin(t / 10000^(2i/C)),  PE[t, 2i+1] = cos(t / 10000^(2i/C)).   [§3.5]

    Shapes:
        → (T, C) float32, values in −1 … 1
    Units:
        t counts tokens from 0.
    Cost:
        T·C sines
    Args:
        tokens: T.
        width: C, even.
    Raises:
        ValueError: C is odd; the message gives it.
    Checked by:
        tests/demos/test_transformer.py::test_sinusoids_equal_the_formula
    """
    if width % 2:
        raise ValueError(f"width must be even, got {width}")
    t = torch.arange(tokens, dtype=torch.float64)[:, None]
    angles = t / 10000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1).float()  # interleaved


class FeedForward(nn.Sequential):
    """Apply the same two linear maps to every token.

    out = W₂·relu(W₁·x + b₁) + b₂.   [eq. 2]

    Shapes:
        x (B, T, C) → (B, T, C)
    Units:
        none
    Cost:
        4·C·F FLOPs a token;  counts.feed_forward_parameters().
    Args:
        width: C.
        hidden: F.
    Raises:
        nothing
    Checked by:
        tests/demos/test_transformer.py::test_layers_equal_torch_with_the_same_weights
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))


class EncoderLayer(nn.Module):
    """Self-attention, then a feed-forward part, each added to what came in.

    Shapes:
        x (B, T, C) → (B, T, C)
    Units:
        none
    Cost:
        counts.encoder_layer_parameters();  counts.forward_flops() for the whole model.
    Args:
        config: sizes.
    Raises:
        ValueError: x does not have shape (B, T, C).
    Checked by:
        tests/demos/test_transformer.py::test_layers_equal_torch_with_the_same_weights
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm_first = config.norm_first
        self.attend = MultiHeadAttention(config.width, config.heads)
        self.feed = FeedForward(config.width, config.hidden)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        if self.norm_first:
            x = x + self.attend(self.norms[0](x)).out
            return x + self.feed(self.norms[1](x))
        x = self.norms[0](x + self.attend(x).out)
        return self.norms[1](x + self.feed(x))


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the encoder's output, feed-forward.

    Shapes:
        x (B, T, C), memory (B, S, C) → (B, T, C), and weights on the memory (B, H, T, S)
    Units:
        none
    Cost:
        counts.decoder_layer_parameters();  counts.forward_flops() for the whole model.
    Args:
        config: sizes.
    Raises:
        ValueError: x or memory does not have C channels.
    Checked by:
        tests/demos/test_transformer.py::test_layers_equal_torch_with_the_same_weights
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm_first = config.norm_first
        self.attend = MultiHeadAttention(config.width, config.heads)
        self.cross = MultiHeadAttention(config.width, config.heads)
        self.feed = FeedForward(config.width, config.hidden)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(3))

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        past = causal_mask(x.shape[1], x.shape[1], device=x.device)  # (T, T)
        if self.norm_first:
            x = x + self.attend(self.norms[0](x), mask=past).out
            found = self.cross(self.norms[1](x), memory)
            x = x + found.out
            return x + self.feed(self.norms[2](x)), found.weights
        x = self.norms[0](x + self.attend(x, mask=past).out)
        found = self.cross(x, memory)
        x = self.norms[1](x + found.out)
        return self.norms[2](x + self.feed(x)), found.weights


class Transformer(nn.Module):
    """Give the next symbol's logits after every prefix of a target, having read a source.

    Shapes:
        source (B, S) int, target (B, T) int that begins with the start symbol
        → logits (B, T, symbols);  cross_weights (B, H, T, S) of the last decoder layer
    Units:
        logits are natural logarithms up to a constant.
    Cost:
        counts.parameters();  counts.forward_flops().
    Args:
        config: sizes.
    Raises:
        ValueError: source or target is not of shape (B, length).
    Checked by:
        tests/demos/test_transformer.py::test_the_whole_equals_torch_with_the_same_weights
        tests/demos/test_transformer.py::test_what_comes_later_in_the_target_changes_nothing
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.symbols + 1, config.width)  # the last one is the start
        nn.init.normal_(self.embed.weight, std=config.width**-0.5)
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        # Pre-LN leaves the sum unnormalised, so a last norm follows; post-LN needs none.
        last = nn.LayerNorm if config.norm_first else nn.Identity
        self.encoder_norm, self.decoder_norm = last(config.width), last(config.width)
        self.write = nn.Linear(config.width, config.symbols)

    @property
    def start(self) -> int:
        """The symbol that every target begins with."""
        return self.config.symbols

    def forward(self, source: Tensor, target: Tensor) -> Output:
        return self.decode(self.encode(source), target)

    def encode(self, source: Tensor) -> Tensor:
        """What the encoder makes of a source: (B, S) → (B, S, C)."""
        x = self._embedded("source", source)
        for layer in self.encoder:
            x = layer(x)
        return self.encoder_norm(x)

    def decode(self, memory: Tensor, target: Tensor) -> Output:
        """Logits after each prefix of target (B, T), given an encoder's output (B, S, C)."""
        x = self._embedded("target", target)
        for layer in self.decoder:
            x, weights = layer(x, memory)
        return Output(self.write(self.decoder_norm(x)), weights)

    @torch.no_grad()
    def greedy(self, source: Tensor, length: int) -> Tensor:
        """Write `length` symbols, always the likeliest, reading back only what it wrote itself."""
        memory = self.encode(source)
        written = source.new_full((len(source), 1), self.start)
        for _ in range(length):
            following = self.decode(memory, written).logits[:, -1].argmax(-1, keepdim=True)
            written = torch.cat([written, following], 1)
        return written[:, 1:]

    def _embedded(self, name: str, symbols: Tensor) -> Tensor:
        if symbols.dim() != 2:
            raise ValueError(f"{name} must have shape (B, T), got {tuple(symbols.shape)}")
        x = self.embed(symbols) * math.sqrt(self.config.width)  # §3.4
        if self.config.positions:
            x = x + sinusoids(symbols.shape[1], self.config.width).to(x)
        return x
