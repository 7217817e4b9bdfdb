"""Attention: a weighted average whose weights the tokens work out between themselves.

Summary:  Scaled dot-product and multi-head attention, trained small enough to read the weights.
Source:   Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762, eq. 1 and §3.2.
Differs:  No dropout; a query that may see no key gets zeros; models of one or two layers.
Needs:    CPU.
Shows:    demo.scaled_dot_product, demo.multi_head
"""
