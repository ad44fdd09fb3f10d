"""From CIFAR-10 on disk to arrays: download, checks, splits, preprocessing, synthetic data."""
