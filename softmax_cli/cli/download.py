"""``softmax download``: fetch and verify CIFAR-10."""


def download() -> None:
    """Fetch CIFAR-10."""
