"""Features of many images, computed some images at a time on all cores.

numpy lets other threads run while it computes, so threads are enough.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Images


def transform_in_chunks(
    images: Images,
    transform: Callable[[Images, NDArray[np.float32]], None],
    *,
    size: int,
    chunk: int,
) -> NDArray[np.float32]:
    """Features (n, P) of images (n, 3072).

    Args:
        images: n of them.
        transform: writes the features of some images into the rows (m, P) that are given for them.
            A row must not depend on the other images, so that it does not matter how they are cut.
        size: P.
        chunk: how many images at a time; m is no greater.
    """
    features = np.empty((len(images), size), np.float32)
    starts = range(0, len(images), chunk)

    def compute(start: int) -> None:
        transform(images[start : start + chunk], features[start : start + chunk])

    from softmax_cli.threads import thread_limit  # whoever predicts from pixels needs it not

    threads = min(thread_limit(), len(starts))
    if threads <= 1:
        for start in starts:
            compute(start)
        return features
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(compute, starts):  # raises what a thread has raised
            pass
    return features
