import numpy as np
import pytest
from scipy.optimize import minimize

from softmax_cli.training import preconditioner as preconditioner_room
from softmax_cli.training.lbfgs import Course, Lbfgs
from tests.training.problems import Problem, problem, solved, weights_of

RNG = np.random.default_rng(5)
SOME_WITHOUT_WEIGHT = RNG.integers(0, 3, size=(3, 200)).astype(np.float64)


def duplicated() -> Problem:
    once = problem()
    return problem(rows=np.repeat(once.rows, 2, axis=0), labels=np.repeat(once.labels, 2))


def with_constants() -> Problem:
    case = problem()
    case.rows[:, 1], case.rows[:, 4] = 0, 3
    return case


PROBLEMS = {
    "plain": problem(),
    "two classes": problem(labels=problem().labels % 2, classes=2),
    "temperature": problem(temperature=3.0),
    "cold": problem(temperature=0.2),
    "weights": problem(example_weights=SOME_WITHOUT_WEIGHT),
    "separable": problem(rows=20 * problem().rows),
    "all of one class": problem(labels=np.full(200, 2)),
    "a class without examples": problem(classes=6),
    "constant features": with_constants(),
    "duplicated examples": duplicated(),
    "fewer examples than features": problem(examples=5, features=12),
    "one example": problem(examples=1),
}


@pytest.mark.parametrize("limit", [2**30, 0], ids=["spectral", "diagonal"])
@pytest.mark.parametrize("case", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_agrees_with_newton_in_float64(
    case: Problem, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preconditioner_room, "MAX_GRAM_BYTES", limit)
    solver = solved(case, tolerance=1e-7)
    for model, weights in enumerate(weights_of(case, solver)):
        # ||W - W*|| <= ||g|| / lambda
        np.testing.assert_allclose(weights, case.newton(model), atol=1e-5)
    assert (solver.course == Course.CONVERGED).all() or (solver.gradient_norm < 1e-6).all()


def test_agrees_with_scipy() -> None:
    case = problem(examples=300, features=10, regularization=np.array([0.02]))
    shape = (case.classes, 11)

    def value_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = flat.reshape(shape)
        return case.value(W, 0), case.gradient(W, 0).reshape(-1)

    expected = minimize(
        value_and_gradient,
        np.zeros(44),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": 1e-9, "ftol": 0},
    )
    found = weights_of(case, solved(case, tolerance=1e-7))[0]
    np.testing.assert_allclose(found, expected.x.reshape(shape), atol=1e-5)
    assert case.value(found, 0) == pytest.approx(expected.fun, rel=1e-7)


def test_one_class_has_nothing_to_learn() -> None:
    case = problem(labels=np.zeros(200, int), classes=1)
    solver = solved(case)
    assert solver.iteration == 0
    assert (solver.course == Course.CONVERGED).all()
    assert not weights_of(case, solver).any()


def test_without_regularisation_a_separable_problem_ends_with_a_small_gradient() -> None:
    case = problem(rows=20 * problem().rows, regularization=np.zeros(1))
    solver = solved(case, tolerance=1e-5)
    assert solver.course.tolist() == [Course.CONVERGED]
    assert np.abs(case.gradient(weights_of(case, solver)[0], 0)).max() < 2e-5


def test_without_regularisation_the_optimum_is_found_where_there_is_one() -> None:
    case = problem(examples=400, features=3, regularization=np.zeros(1))
    solver = solved(case, tolerance=1e-6)
    assert solver.course.tolist() == [Course.CONVERGED]
    near = problem(examples=400, features=3, regularization=np.array([1e-9]))
    best = near.value(near.newton(0), 0)
    assert case.value(weights_of(case, solver)[0], 0) == pytest.approx(best, abs=5e-6)


def test_a_model_ends_up_alone_where_it_ends_up_in_a_stack() -> None:
    together = problem(regularization=np.logspace(-3, 1, 9))
    stacked = weights_of(together, solved(together, tolerance=1e-7))
    for model, decay in enumerate(together.regularization):
        alone = problem(regularization=np.array([decay]))
        found = weights_of(alone, solved(alone, tolerance=1e-7))[0]
        np.testing.assert_allclose(found, stacked[model], atol=1e-5)


def test_models_leave_the_stack_as_they_arrive() -> None:
    case = problem(regularization=np.array([10.0, 1e-4]))
    solver = Lbfgs(case.objective(), tolerance=1e-6)
    solver.begin()
    while solver.members.all():
        solver.step()
    assert solver.members.tolist() == [False, True]
    early = solver.weights[:, 0].copy()
    solver.step()
    np.testing.assert_array_equal(solver.weights[:, 0], early)
    assert solver.iterations[0] < solver.iterations[1] == solver.iteration


@pytest.mark.parametrize("stop", [0, 1, 4, 7, 13])
def test_resumed_is_uninterrupted_bit_for_bit(stop: int) -> None:
    case = problem(examples=1200, features=12, regularization=np.logspace(-4, 0, 4))
    whole, first = (Lbfgs(case.objective(), tolerance=1e-6) for _ in range(2))
    for solver in (whole, first):
        solver.begin()
    for _ in range(stop):
        first.step()
    second = Lbfgs(case.objective(), tolerance=1e-6)
    second.restore({name: array.copy() for name, array in first.state().items()}, first.iteration)
    for solver in (whole, second):
        while solver.members.any():
            solver.step()
    assert whole.iteration > 13
    assert second.iteration == whole.iteration
    for name, array in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], array, err_msg=name)


def test_a_state_of_another_problem_is_refused() -> None:
    solver = Lbfgs(problem().objective(), tolerance=1e-6)
    with pytest.raises(ValueError, match="expected"):
        solver.restore(Lbfgs(problem(features=5).objective(), tolerance=1e-6).state(), 0)


def test_a_tolerance_beyond_float32_stalls_instead_of_going_on_for_ever() -> None:
    solver = solved(problem(regularization=np.array([0.01])), tolerance=1e-30, most=200)
    assert solver.course.tolist() == [Course.STALLED]
    assert solver.gradient_norm[0] < 1e-6


def test_numbers_that_are_not_finite_end_a_model() -> None:
    case = problem()
    case.rows[3, 3] = np.nan
    assert (solved(case).course == Course.DIVERGED).all()


def test_the_gram_matrix_saves_most_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    turned = np.linalg.qr(RNG.normal(size=(30, 30)))[0]
    rows = (RNG.normal(size=(600, 30)) * np.logspace(1, -1, 30)) @ turned
    labels = RNG.integers(4, size=600)
    case = problem(rows=rows.astype(np.float32), labels=labels, regularization=np.array([1e-3]))
    steps = []
    for limit in (2**30, 0):
        monkeypatch.setattr(preconditioner_room, "MAX_GRAM_BYTES", limit)
        steps.append(solved(case, tolerance=1e-5).iteration)
    spectral, diagonal = steps
    assert 3 * spectral <= diagonal
