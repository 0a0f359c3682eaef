"""Hints: a student learns faster when it is shown how its teacher gets to the answer."""

from collections.abc import Sequence

from torch import Tensor


def hidden_mismatch(target: Sequence[Tensor], student: Sequence[Tensor]) -> Tensor:
    """Mean squared error per layer, in shares of the target's variance, summed; a scalar.

    `target` and `student` hold what enters each non-linearity, (B, units) per layer, of two
    networks of one shape (Romero et al., "FitNets", 2015; here every layer is a hint, and no
    regressor is needed because the layers are equally wide).
    """
    return sum(
        ((ours - theirs) ** 2).mean() / theirs.var()
        for theirs, ours in zip(target, student, strict=True)
    )
