"""The one array type that a picture has everywhere in linewatch."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Picture: TypeAlias = npt.NDArray[np.uint8]
"""(H, W) grey or (H, W, 3) red, green, blue; 0 .. 255."""

Rectify: TypeAlias = Callable[[Picture], Picture]
"""Sensor picture in, rectified picture out; the number of channels stays."""
