"""The benchmark's released policies, evaluated with numpy.

`google-deepmind/rgb_stacking`, mpo_state_rgb_test_triplet1..5, as .npz files of their weights.
"""

import pathlib

import numpy as np

_EPSILON = 1e-5  # of the layer normalisation
_SMALLEST_STDDEV = 1e-4


class ReleasedPolicy:
    """One released policy: a Gaussian over four velocities and a two-way choice for the gripper.

    Args:
        path: .npz file with the weights.

    Raises:
        ValueError: the file does not hold such a policy.
    """

    def __init__(self, path: pathlib.Path) -> None:
        with np.load(path) as arrays:
            missing = sorted(set(_WEIGHTS) - set(arrays.files))
            if missing:
                raise ValueError(f'{path} is not a released policy: it lacks {missing}')
            self._weights = {name: arrays[name] for name in _WEIGHTS}

    def distribution(self, observation: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return mean (..., 4) and stddev (..., 4) in [-1, 1], and gripper logits (..., 2).

        The logits are for opening and closing.

        Args:
            observation: (..., 292), see `benchmark_observation`.
        """
        w = self._weights
        hidden = observation @ w['in_w'] + w['in_b']
        centred = hidden - hidden.mean(-1, keepdims=True)
        variance = np.mean(centred * centred, -1, keepdims=True)
        hidden = np.tanh(centred / np.sqrt(variance + _EPSILON) * w['ln_gamma'] + w['ln_beta'])
        for layer in ('h0', 'h1'):
            hidden = hidden @ w[f'{layer}_w'] + w[f'{layer}_b']
            hidden = np.where(hidden > 0.0, hidden, np.expm1(np.minimum(hidden, 0.0)))
        gaussian = hidden @ w['gauss_w'] + w['gauss_b']
        logits = hidden @ w['disc_w'] + w['disc_b']
        stddev = np.logaddexp(0.0, gaussian[..., 4:]) + _SMALLEST_STDDEV
        return np.tanh(gaussian[..., :4]), stddev, logits

    def sample(self, observation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a sampled action (5,), not clipped; the gripper is -1 or 1."""
        mean, stddev, logits = self.distribution(observation)
        close = rng.random() < 1.0 / (1.0 + np.exp(float(logits[0] - logits[1])))
        return np.append(rng.normal(mean, stddev), 1.0 if close else -1.0)


_LAYERS = ('in', 'h0', 'h1', 'gauss', 'disc')
_WEIGHTS = (
    *(f'{layer}_{kind}' for layer in _LAYERS for kind in ('w', 'b')),
    'ln_gamma',
    'ln_beta',
)
