"""Nonlinear least squares for a few dozen unknowns."""

from collections.abc import Callable

import numpy as np

_STEP = 1e-6  # of the numeric derivative
_ITERATIONS = 50
_TOLERANCE = 1e-7  # relative gain below which it has converged


def minimise(
    residuals: Callable[[np.ndarray], np.ndarray], start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return argmin |residuals(x)|^2 and its covariance.

    Levenberg-Marquardt with a damping that follows success. The covariance (n, n) takes the
    residuals for independent and of equal variance, which is estimated from them.

    Args:
        residuals: from x (n,) to (m,), m > n.
        start: where the search begins, (n,).
    """
    x, damping = np.array(start, np.float64), 1e-3
    value = residuals(x)
    jacobian = _derivative(residuals, x, value)
    for _ in range(_ITERATIONS):
        gram = jacobian.T @ jacobian
        step = np.linalg.solve(
            gram + damping * np.diag(np.diag(gram) + 1e-12), -jacobian.T @ value
        )
        tried = residuals(x + step)
        gain = 1.0 - float(tried @ tried) / max(float(value @ value), 1e-300)
        if gain > 0.0:
            x, value, damping = x + step, tried, damping / 10.0
            jacobian = _derivative(residuals, x, value)
        else:
            damping *= 10.0
        if abs(gain) < _TOLERANCE or damping > 1e12:
            break
    variance = float(value @ value) / max(len(value) - len(x), 1)
    return x, variance * np.linalg.pinv(jacobian.T @ jacobian)


def _derivative(
    residuals: Callable[[np.ndarray], np.ndarray], x: np.ndarray, value: np.ndarray
) -> np.ndarray:
    columns = []
    for index in range(len(x)):
        step = np.zeros(len(x))
        step[index] = _STEP
        columns.append((residuals(x + step) - value) / _STEP)
    return np.column_stack(columns)
