"""Data sets on disk to labelled arrays: download, checks, splits, synthetic data, own arrays."""
