"""CIFAR-100: what is published of it. Each image has one of 100 fine and one of 20 coarse labels.

The same files are two data sets here, one for each of these labels.
"""

from functools import partial
from pathlib import Path
from typing import Final

from softmax_cli.data.cifar_batches import BatchForm, load_batches
from softmax_cli.data.dataset import Archive, DatasetSpec, Publication, PublishedFile, Split
from softmax_cli.data.images import ImageSet

CLASS_NAMES: Final = (
    "apple",
    "aquarium_fish",
    "baby",
    "bear",
    "beaver",
    "bed",
    "bee",
    "beetle",
    "bicycle",
    "bottle",
    "bowl",
    "boy",
    "bridge",
    "bus",
    "butterfly",
    "camel",
    "can",
    "castle",
    "caterpillar",
    "cattle",
    "chair",
    "chimpanzee",
    "clock",
    "cloud",
    "cockroach",
    "couch",
    "crab",
    "crocodile",
    "cup",
    "dinosaur",
    "dolphin",
    "elephant",
    "flatfish",
    "forest",
    "fox",
    "girl",
    "hamster",
    "house",
    "kangaroo",
    "keyboard",
    "lamp",
    "lawn_mower",
    "leopard",
    "lion",
    "lizard",
    "lobster",
    "man",
    "maple_tree",
    "motorcycle",
    "mountain",
    "mouse",
    "mushroom",
    "oak_tree",
    "orange",
    "orchid",
    "otter",
    "palm_tree",
    "pear",
    "pickup_truck",
    "pine_tree",
    "plain",
    "plate",
    "poppy",
    "porcupine",
    "possum",
    "rabbit",
    "raccoon",
    "ray",
    "road",
    "rocket",
    "rose",
    "sea",
    "seal",
    "shark",
    "shrew",
    "skunk",
    "skyscraper",
    "snail",
    "snake",
    "spider",
    "squirrel",
    "streetcar",
    "sunflower",
    "sweet_pepper",
    "table",
    "tank",
    "telephone",
    "television",
    "tiger",
    "tractor",
    "train",
    "trout",
    "tulip",
    "turtle",
    "wardrobe",
    "whale",
    "willow_tree",
    "wolf",
    "woman",
    "worm",
)
COARSE_CLASS_NAMES: Final = (
    "aquatic_mammals",
    "fish",
    "flowers",
    "food_containers",
    "fruit_and_vegetables",
    "household_electrical_devices",
    "household_furniture",
    "insects",
    "large_carnivores",
    "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes",
    "large_omnivores_and_herbivores",
    "medium_mammals",
    "non-insect_invertebrates",
    "people",
    "reptiles",
    "small_mammals",
    "trees",
    "vehicles_1",
    "vehicles_2",
)
PUBLICATION: Final = Publication(
    title="CIFAR-100",
    command="softmax download cifar100",
    folder="cifar-100-python",
    archive=Archive(
        name="cifar-100-python.tar.gz",
        size=169_001_437,
        sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        mirrors=("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",),
        url_variable="SOFTMAX_CIFAR100_URL",
    ),
    files=(
        PublishedFile(
            "train",
            155_249_918,
            "16019d7e3df5f24257cddd939b257f8d",
            "735e79b04f092ca3d2e6d07f368c0a7d70d48c48d28865950cc24454cf45129b",
            50_000,
        ),
        PublishedFile(
            "test",
            31_049_707,
            "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "4b67687d9933c4db8f0831104447f15b93774f4f464bd0516f0f0f2ac83b7864",
            10_000,
        ),
        PublishedFile(
            "meta",
            1_473,
            "7973b15100ade9c7d40fb424638fde48",
            "a5d4786345c961390f865e93b434dbd5c6904ce880667e0cb888c97d449f28b9",
            0,
        ),
    ),
    other_forms=(
        (
            r"cifar-100-binary|(train|test|fine_label_names|coarse_label_names)\.(bin|txt)",
            "the binary version of CIFAR-100",
        ),
        (r"cifar-100-matlab|(train|test|meta)\.mat", "the MATLAB version of CIFAR-100"),
        (r"cifar-10-batches-(py|bin|mat)", "CIFAR-10"),
    ),
    least_files=2,
)
_FORM: Final = BatchForm(
    prefixes={"train": "train", "test": "test"},
    labels={"fine_labels": CLASS_NAMES, "coarse_labels": COARSE_CLASS_NAMES},
    names={"fine_label_names": CLASS_NAMES, "coarse_label_names": COARSE_CLASS_NAMES},
    others={},
)


def load_cifar100(
    data_dir: Path, split: Split, labels: str, publication: Publication = PUBLICATION
) -> ImageSet:
    """Load one split, reading and verifying only the files it needs.

    Args:
        data_dir: folder that holds ``cifar-100-python/``, as `find_folder` takes it.
        split: which split.
        labels: ``fine_labels`` or ``coarse_labels``.
        publication: what the data set is made of.

    Raises:
        DataError: if a file is missing, or is not byte for byte what it should be, or is no batch.
    """
    return load_batches(data_dir, split, publication, _FORM, labels)


CIFAR100: Final = DatasetSpec(
    name="cifar100",
    title=PUBLICATION.title,
    class_names=CLASS_NAMES,
    training_images=50_000,
    load=partial(load_cifar100, labels="fine_labels"),
    publication=PUBLICATION,
)
CIFAR100_COARSE: Final = DatasetSpec(
    name="cifar100-coarse",
    title=PUBLICATION.title,
    class_names=COARSE_CLASS_NAMES,
    training_images=50_000,
    load=partial(load_cifar100, labels="coarse_labels"),
    publication=PUBLICATION,
)
