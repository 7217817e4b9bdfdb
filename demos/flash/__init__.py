"""FlashAttention's idea: attention one tile of keys at a time, exact, without the score matrix.

Summary:  Online softmax over tiles gives plain attention's output and never holds all scores.
Source:   Dao, "FlashAttention-2", 2023, arXiv:2307.08691, Algorithm 1; online softmax from Milakov
          and Gimelshein, 2018, arXiv:1805.02867, Algorithm 3.
Differs:  Forward only, in PyTorch, so it saves memory but no time; no dropout; no tile is skipped.
Needs:    CPU; on CUDA the memory is what the allocator reports.
Shows:    demo.tiling
"""
