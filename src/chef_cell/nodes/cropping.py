"""The square that policies see of a camera's image."""

import numpy as np
import PIL.Image

from chef_cell.core.imaging import Intrinsics


def central_square(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return the largest central square of an image, (h, w, 3) uint8, at `size` x `size`.

    An image that is so already is returned itself.
    """
    height, width, _ = pixels.shape
    if height == width == size:
        return pixels
    left, upper, right, lower = Intrinsics(width, height, 1.0, 1.0, 0.0, 0.0).square
    square = PIL.Image.fromarray(np.ascontiguousarray(pixels[upper:lower, left:right]))
    # Bilinear with a support that grows with the reduction: each pixel counts, none aliases.
    return np.asarray(square.resize((size, size), PIL.Image.Resampling.BILINEAR))
