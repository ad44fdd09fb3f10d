from collections.abc import Callable

from softmax_cli.config.schema import TrainConfig
from softmax_cli.training.random_streams import RandomStreams

Settings = Callable[..., TrainConfig]


def test_streams_differ_from_each_other_and_with_the_seed(settings: Settings) -> None:
    first, second = (RandomStreams.of(settings(seed=seed)) for seed in (0, 1))
    streams = [*vars(first).values(), *vars(second).values()]
    assert len({stream.generate_state(4).tobytes() for stream in streams}) == 8


def test_the_seed_of_the_weights_changes_no_other_stream(settings: Settings) -> None:
    plain = RandomStreams.of(settings())
    own = RandomStreams.of(settings(**{"model.weight_seed": 5}))
    changed = {
        name
        for name, stream in vars(plain).items()
        if stream.generate_state(1) != getattr(own, name).generate_state(1)
    }
    assert changed == {"weights"}
