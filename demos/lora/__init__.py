"""LoRA: adapt a trained model by adding a product of two thin matrices to each weight.

Summary:  A small model trained on one task is adapted to another, by all weights or by a few.
Source:   Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021,
          arXiv:2106.09685, §4.1.
Differs:  A perceptron instead of a language model; every linear layer is adapted; no dropout.
Needs:    CPU.
Shows:    demo.finetune
"""
