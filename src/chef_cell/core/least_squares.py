"""Least squares within a box, exactly, for the few variables of an arm."""

import numpy as np

_TOLERANCE = 1e-10


def solve_in_box(
    hessian: np.ndarray, linear: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """Return argmin x'Hx/2 - linear'x with lower <= x <= upper.

    Block principal pivoting: variables that break their bound are held at it, held ones whose
    multiplier has the wrong sign are freed; when that stalls, one at a time, which always ends
    (Judice and Pires, 1994).

    Args:
        hessian: H, symmetric positive definite, (n, n).
        linear: (n,).
        lower: (n,).
        upper: (n,), not below `lower`.
    """
    size = len(linear)
    held = np.zeros(size, int)  # -1 at the lower bound, 1 at the upper, 0 free
    fewest, patience = size + 1, 3
    while True:
        x = np.where(held < 0, lower, upper)
        free = held == 0
        if free.any():
            bound = ~free
            right = linear[free] - hessian[np.ix_(free, bound)] @ x[bound]
            x[free] = np.linalg.solve(hessian[np.ix_(free, free)], right)
        pull = linear - hessian @ x  # descent direction; must push held variables outwards
        below = free & (x < lower - _TOLERANCE)
        above = free & (x > upper + _TOLERANCE)
        inward = ((held < 0) & (pull > _TOLERANCE)) | ((held > 0) & (pull < -_TOLERANCE))
        wrong = np.flatnonzero(below | above | inward)
        if len(wrong) == 0:
            return np.clip(x, lower, upper)
        if len(wrong) < fewest:
            fewest, patience = len(wrong), 3
        else:
            patience -= 1
        if patience < 0:
            wrong = wrong[-1:]
        held[wrong] = np.where(below, -1, np.where(above, 1, 0))[wrong]
