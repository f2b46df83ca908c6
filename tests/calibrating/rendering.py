"""Pictures of a target through a known lens, each pixel followed back to the target: no part of what is tested."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

SIZE_PX = (480, 360)
MATRIX = np.array([[615.0, 0.0, 245.0], [0.0, 618.0, 175.0], [0.0, 0.0, 1.0]])
DISTORTION = np.array([-0.21, 0.09, 0.0011, -0.0007, 0.0])
COLUMNS, ROWS, SQUARE_MM = 9, 6, 12.0
PLANE_MM = 150.0  # from the camera to where parts are inspected
MM_PER_PX = PLANE_MM / float(np.sqrt(MATRIX[0, 0] * MATRIX[1, 1]))
_TEXTURE = 12  # px per mm
_RIM_MM = 14.0
_FINER = 2  # samples per pixel and direction

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pose:
    """tilt_x, tilt_y: degrees about the picture's axes. x, y: mm of the target's middle from the axis. z: mm away."""

    tilt_x: float = 0.0
    tilt_y: float = 0.0
    x: float = 0.0
    y: float = 0.0
    z: float = PLANE_MM


POSES = (
    Pose(), Pose(28, 0, 0, 6, 140), Pose(-28, 0, 0, -6, 140), Pose(0, 28, 6, 0, 140), Pose(0, -28, -6, 0, 140),
    Pose(12, 12, -22, -16, 150), Pose(-12, 12, -20, 16, 150), Pose(12, -12, 24, -18, 150), Pose(-12, -12, 24, 16, 150),
    Pose(20, 20, 0, 0, 165), Pose(-20, 20, 4, 4, 165), Pose(5, 0, -12, 0, 120),
)  # fmt: skip
SAME_ANGLE = tuple(Pose(4, 0, x, y, z) for z in (150, 155) for x, y in ((-22, -16), (22, -16), (-22, 16), (22, 16)))


def texture(kind: str, columns: int = COLUMNS, rows: int = ROWS, rim_mm: float = _RIM_MM) -> Grey:
    """The flat target with a white rim, 12 px per mm."""
    side, rim = round(SQUARE_MM * _TEXTURE), round(rim_mm * _TEXTURE)
    width, height = columns * side, rows * side
    if kind == "charuco":
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250)
        board = cv2.aruco.CharucoBoard((columns, rows), SQUARE_MM, SQUARE_MM * 0.75, dictionary)
        return np.asarray(board.generateImage((width + 2 * rim, height + 2 * rim), marginSize=rim), np.uint8)
    flat = np.full((height + 2 * rim, width + 2 * rim), 255, np.uint8)
    for y in range(rows):
        for x in range(columns):
            if (x + y) % 2 == 0:
                flat[rim + y * side : rim + (y + 1) * side, rim + x * side : rim + (x + 1) * side] = 0
    return flat


@cache
def _rays() -> npt.NDArray[np.float64]:
    """(H, W, 3) directions, finer than pixels, that the lens sees."""
    step = np.linspace(-0.5, 0.5, _FINER, endpoint=False) + 0.5 / _FINER
    x, y = ((np.arange(count)[:, None] + step).ravel() for count in SIZE_PX)
    sensor = np.stack(np.meshgrid(x, y), axis=-1)
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 1e-8)
    rays = cv2.undistortPoints(sensor.reshape(-1, 1, 2), MATRIX, DISTORTION, criteria=until).reshape(*sensor.shape)
    return np.concatenate([rays, np.ones((*rays.shape[:2], 1))], axis=-1)


def photograph(flat: Grey, pose: Pose, *, seed: int = 0, blur: float = 0.7, gain: float = 0.62) -> Grey:
    """What the camera sees of `flat` at `pose`: lens, blur (px), exposure and noise of 1.5 grey levels."""
    turn = cv2.Rodrigues(np.radians([pose.tilt_x, 0.0, 0.0]))[0] @ cv2.Rodrigues(np.radians([0.0, pose.tilt_y, 0.0]))[0]
    # A point of the target is turn @ (u, v, 0) + (x, y, z); a ray meets it where a (3, 3) homography says.
    onto = np.linalg.inv(np.stack([turn[:, 0], turn[:, 1], [pose.x, pose.y, pose.z]], axis=1))
    met = _rays() @ onto.T
    where = met[..., :2] / met[..., 2:] * _TEXTURE + np.array(flat.shape[::-1]) / 2 - 0.5
    maps = where.astype(np.float32)
    fine = cv2.remap(flat, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderValue=90)
    seen = cv2.GaussianBlur(cv2.resize(fine, SIZE_PX, interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), blur)
    noise = np.random.default_rng(seed).normal(0, 1.5, seen.shape)
    return np.clip(np.rint(seen * gain + 14 + noise), 0, 255).astype(np.uint8)


def write_views(folder: Path, flat: Grey, poses: tuple[Pose, ...] = POSES) -> Path:
    """A folder of pictures as `calibrate camera` takes it; the first pose is the plane of the parts."""
    folder.mkdir(parents=True)
    for number, pose in enumerate(poses):
        name = "plane.png" if number == 0 else f"view-{number:02d}.png"
        cv2.imwrite(str(folder / name), photograph(flat, pose, seed=number))
    return folder
