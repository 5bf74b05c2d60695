"""Tests of the trainer on the shipped base model, on a CPU and (marked ``gpu``) on a CUDA card."""
