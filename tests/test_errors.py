"""The one tree of errors."""

import pickle
import re

import pytest

from softmax_cli import errors
from softmax_cli.errors import CheckpointError, DataError, SoftmaxError

CLASSES: dict[str, type[SoftmaxError]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type)
}
_BRANCH = re.compile(r"    (?P<lead>(?:[│ ]   |[├└]── )*)(?P<name>\w+Error)  +\S.*")


def drawn_parents() -> dict[str, str]:
    """The parent of each class in the tree of the docstring."""
    parents: dict[str, str] = {}
    path = ["Exception"]
    for match in filter(None, map(_BRANCH.fullmatch, str(errors.__doc__).splitlines())):
        depth = len(match["lead"]) // 4
        del path[depth + 1 :]
        parents[match["name"]] = path[depth]
        path.append(match["name"])
    return parents


def test_the_tree_that_is_drawn_is_the_tree_of_the_classes() -> None:
    bases = {name: kind.__bases__ for name, kind in CLASSES.items()}
    assert drawn_parents() == {name: parents[0].__name__ for name, parents in bases.items()}
    others = {name: parents[1:] for name, parents in bases.items() if len(parents) > 1}
    assert others == {
        "ArgumentError": (ValueError,),
        "NotFittedError": (ValueError, AttributeError),
    }
    assert len(CLASSES) > 5


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_says_what_is_wrong_and_perhaps_what_to_do(name: str) -> None:
    plain = CLASSES[name]("expected a, got b")
    assert (str(plain), plain.message, plain.hint) == ("expected a, got b",) * 2 + (None,)
    helpful = CLASSES[name]("expected a, got b", hint="Take a.")
    assert (str(helpful), helpful.hint) == ("expected a, got b", "Take a.")
    assert (getattr(plain, "__notes__", []), helpful.__notes__) == ([], ["Take a."])
    assert CLASSES[name].__doc__


@pytest.mark.parametrize("name", CLASSES)
def test_an_error_comes_back_whole_from_another_process(name: str) -> None:
    sent = CLASSES[name]("expected a, got b", hint="Take a.")
    got = pickle.loads(pickle.dumps(sent))
    assert type(got) is CLASSES[name]
    assert (got.message, got.hint, str(got)) == (sent.message, sent.hint, str(sent))
    assert got.__notes__ == sent.__notes__


def test_one_branch_can_be_caught_without_the_others() -> None:
    with pytest.raises(errors.IntegrityError):
        raise DataError("no images")
    assert not issubclass(DataError, errors.ConfigurationError)
    assert issubclass(CheckpointError, SoftmaxError)
