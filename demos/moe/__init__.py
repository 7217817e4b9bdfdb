"""Mixture of experts: many feed-forward parts, of which each token uses a few.

Summary:  A sparse layer whose router is trained with and without the loss that balances it.
Source:   Fedus, Zoph, Shazeer, "Switch Transformers", 2021, arXiv:2101.03961, §2.1-2.2, eq. 1-6.
Differs:  One layer on synthetic vectors, no attention; training drops no token, capacity is applied
          when testing; top-k for k > 1 keeps the raw probabilities as gates; f is divided by k.
Needs:    CPU.
Shows:    demo.balance
"""
