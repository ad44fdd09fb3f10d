import numpy as np
import pytest

from softmax_cli.training.schedules import (
    Decay,
    ScheduleTable,
    constant,
    decay,
    staircase,
    warmed_up,
)


@pytest.mark.parametrize("kind", ["linear", "cosine", "exponential"])
@pytest.mark.parametrize(("start", "end"), [(4.0, 1.0), (0.1, 2.0)])
def test_a_decay_starts_and_ends_where_it_should(kind: Decay, start: float, end: float) -> None:
    values = decay(kind, start, end, 101)(np.arange(101))
    assert values[0] == pytest.approx(start)
    assert values[-1] == pytest.approx(end)
    assert (np.sign(np.diff(values)) == np.sign(end - start)).all()


@pytest.mark.parametrize(
    ("kind", "middle"), [("linear", 2.5), ("cosine", 2.5), ("exponential", 2.0)]
)
def test_halfway_values(kind: Decay, middle: float) -> None:
    assert decay(kind, 4.0, 1.0, 101)(np.array([50])) == pytest.approx(middle)


@pytest.mark.parametrize("kind", ["linear", "cosine", "exponential"])
def test_a_decay_of_one_step_and_beyond_its_end(kind: Decay) -> None:
    assert decay(kind, 4.0, 1.0, 1)(np.array([0])) == pytest.approx(4.0)
    assert decay(kind, 4.0, 1.0, 10)(np.array([500])) == pytest.approx(1.0)


def test_staircase_and_constant() -> None:
    steps = np.array([0, 9, 10, 25])
    assert staircase(8.0, 10, 0.5)(steps).tolist() == [8.0, 8.0, 4.0, 2.0]
    assert constant(3.0)(steps).tolist() == [3.0] * 4


def test_warmup_rises_and_hands_over() -> None:
    values = warmed_up(decay("linear", 1.0, 0.0, 6), 4)(np.arange(10))
    assert values[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert values[4:] == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2, 0.0])


def test_a_table_gives_each_schedule_its_column_at_any_step() -> None:
    schedules = [constant(1.0), decay("linear", 0.0, 999.0, 1000), staircase(1.0, 300, 2.0)]
    table = ScheduleTable(schedules)
    for step in (0, 255, 256, 999, 3):
        expected = [float(schedule(np.array([step]))[0]) for schedule in schedules]
        assert table.at(step) == pytest.approx(expected)
