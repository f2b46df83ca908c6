"""The target that is photographed: a chessboard, or a ChArUco board whose squares also say which they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import UsageError

Kind = Literal["charuco", "chessboard"]
Points = npt.NDArray[np.float32]
# Of each size the dictionaries begin alike; the smallest that suffices is the quickest and takes least dirt for one.
MARKERS = {
    "4x4": (cv2.aruco.DICT_4X4_50, cv2.aruco.DICT_4X4_100, cv2.aruco.DICT_4X4_250, cv2.aruco.DICT_4X4_1000),
    "5x5": (cv2.aruco.DICT_5X5_50, cv2.aruco.DICT_5X5_100, cv2.aruco.DICT_5X5_250, cv2.aruco.DICT_5X5_1000),
    "6x6": (cv2.aruco.DICT_6X6_50, cv2.aruco.DICT_6X6_100, cv2.aruco.DICT_6X6_250, cv2.aruco.DICT_6X6_1000),
}
_IN_DICTIONARY = (50, 100, 250, 1000)
_MOST_MARKERS = 1000
_MARKER_SHARE = 0.75  # of a square's side, where nothing else is said


@dataclass(frozen=True)
class Target:
    """columns, rows: squares, not inner corners. square_mm: side of a square. marker_mm, markers: of ChArUco alone."""

    kind: Kind
    columns: int
    rows: int
    square_mm: float
    marker_mm: float = 0.0
    markers: str = "4x4"

    def __post_init__(self) -> None:
        """Raises UsageError when there can be no such target."""
        if min(self.columns, self.rows) < 4 or self.columns * self.rows > 2 * _MOST_MARKERS:
            raise UsageError("--columns, --rows", "must be 4 or more, 2000 squares at most", f"{self.size}")
        if not self.square_mm > 0 or not np.isfinite(self.square_mm):
            raise UsageError("--square-mm", "must be above 0", self.square_mm)
        if self.kind == "charuco" and not self.marker_mm:
            object.__setattr__(self, "marker_mm", _MARKER_SHARE * self.square_mm)
        if self.kind == "charuco" and not 0 < self.marker_mm < self.square_mm:
            raise UsageError("--marker-mm", f"must lie between 0 and the square's {self.square_mm:g}", self.marker_mm)

    @property
    def size(self) -> str:
        return f"{self.columns} x {self.rows}"

    @property
    def inner(self) -> tuple[int, int]:
        """Columns and rows of the corners where four squares meet."""
        return self.columns - 1, self.rows - 1

    @property
    def corners_mm(self) -> Points:
        """(n, 3) places of the inner corners on the target, row by row, z = 0."""
        across, down = self.inner
        y, x = np.mgrid[1 : down + 1, 1 : across + 1]
        return np.stack([x.ravel(), y.ravel(), np.zeros(across * down)], axis=1).astype(np.float32) * np.float32(
            self.square_mm
        )

    def board(self) -> cv2.aruco.CharucoBoard:
        """OpenCV's description of the ChArUco target."""
        needed = self.columns * self.rows // 2
        which = next(n for n, count in enumerate(_IN_DICTIONARY) if needed <= count)
        dictionary = cv2.aruco.getPredefinedDictionary(MARKERS[self.markers][which])
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square_mm, self.marker_mm, dictionary)

    def black_squares(self) -> Iterator[tuple[int, int]]:
        """Column and row of each; the upper left one is black."""
        return ((x, y) for y in range(self.rows) for x in range(self.columns) if (x + y) % 2 == 0)

    def marker_cells(self) -> Iterator[tuple[float, float, float]]:
        """Left, top and side, mm, of each black cell of each marker; none on a chessboard."""
        if self.kind != "charuco":
            return
        board = self.board()
        dictionary = board.getDictionary()
        cells = dictionary.markerSize + 2  # with the marker's black rim
        side = self.marker_mm / cells
        for number, corners in zip(np.ravel(board.getIds()), board.getObjPoints(), strict=True):
            pattern = cv2.aruco.generateImageMarker(dictionary, int(number), cells)
            left, top = float(corners[0][0]), float(corners[0][1])
            for row, column in np.argwhere(pattern == 0):
                yield left + column * side, top + row * side, side

    def __str__(self) -> str:
        more = f", markers {self.markers} of {self.marker_mm:g} mm" if self.kind == "charuco" else ""
        return f"{self.kind}, {self.size} squares of {self.square_mm:g} mm{more}"
