"""The pixels of annotated pictures, all of them read before anything is learnt or measured."""

from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture as Pixels
from linewatch.training.annotations import Annotations
from linewatch.training.picture_files import Refused


def read_all(*parts: Annotations) -> list[list[Pixels]]:
    """(H, W) uint8 of every picture, per part in its order.

    Raises one DatasetError that lists every picture that is missing, cut short or damaged: nothing is skipped.
    """
    refused = Refused()
    pixels: list[list[Pixels]] = [[] for _ in parts]
    for read, part in zip(pixels, parts, strict=True):
        for picture in part.pictures:
            with refused.gather():
                read.append(read_picture(picture.path))
    refused.check("data", sum(len(part.pictures) for part in parts))
    return pixels
