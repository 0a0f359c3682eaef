import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chef_cell.core.least_squares import solve_in_box


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 7), spread=st.floats(0.01, 10.0))
def test_solution_fulfils_the_optimality_conditions(seed, size, spread):
    rng = np.random.default_rng(seed)
    jacobian = rng.normal(size=(6, size))
    hessian = jacobian.T @ jacobian + 0.01 * np.eye(size)
    linear = rng.normal(size=size) * spread
    lower, upper = -rng.uniform(0, 1, size), rng.uniform(0, 1, size)
    x = solve_in_box(hessian, linear, lower, upper)
    assert (x >= lower).all()
    assert (x <= upper).all()
    descent = linear - hessian @ x
    inside = (x > lower) & (x < upper)
    assert np.abs(descent[inside]).max(initial=0.0) < 1e-7
    assert (descent[x == lower] < 1e-7).all()
    assert (descent[x == upper] > -1e-7).all()


def test_without_active_bounds_it_is_plain_least_squares():
    hessian = np.diag([2.0, 4.0])
    x = solve_in_box(hessian, np.array([1.0, -1.0]), np.full(2, -9.0), np.full(2, 9.0))
    np.testing.assert_allclose(x, [0.5, -0.25])


def test_equal_bounds_fix_a_variable():
    hessian = np.array([[2.0, 1.0], [1.0, 2.0]])
    x = solve_in_box(hessian, np.array([1.0, 1.0]), np.array([1.0, -9.0]), np.array([1.0, 9.0]))
    np.testing.assert_allclose(x, [1.0, 0.0])
