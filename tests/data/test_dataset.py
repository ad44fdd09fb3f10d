from dataclasses import replace

from softmax_cli.data.cifar10 import PUBLICATION


def test_names_of_the_lock_and_of_the_staging_folder_follow_from_what_is_published() -> None:
    assert PUBLICATION.lock_name == ".cifar-10.lock"
    assert PUBLICATION.staging_name == ".cifar-10-batches-py.part"
    other = replace(PUBLICATION, title="CIFAR-100", folder="cifar-100-python")
    assert other.lock_name == ".cifar-100.lock"
    assert other.staging_name == ".cifar-100-python.part"
