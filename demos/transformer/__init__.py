"""The Transformer: an encoder reads, a decoder writes, attention in between.

Summary:  A small encoder-decoder that learns to write a sequence backwards.
Source:   Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762, §3 and Figure 1.
Differs:  LayerNorm before each part unless asked otherwise (the paper: after); no dropout, no label
          smoothing; the output layer does not share its weights with the embeddings.
Needs:    CPU.
Shows:    demo.reverse
"""
