"""Strict reading: a picture that is not whole, or not what a camera gives, is refused with its reason."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from linewatch.core.errors import PictureError, StorageError
from linewatch.pictures.folder import list_pictures
from linewatch.pictures.read import decode_picture, read_picture
from linewatch.pictures.types import Picture
from linewatch.pictures.write import encode_jpeg, encode_png, write_png

COLOUR = np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)
GREY = np.ascontiguousarray(COLOUR[:, :, 0])


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_kinds_come_back_as_they_were(kind: str) -> None:
    assert np.array_equal(decode_picture(encoded(Image.fromarray(GREY), kind), kind), GREY)
    assert np.array_equal(decode_picture(encoded(Image.fromarray(COLOUR), kind), kind, grey=False), COLOUR)


def test_colour_is_red_green_blue() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[:, :, 0] = 255
    assert decode_picture(encoded(Image.fromarray(red), "PNG"), "red", grey=False)[0, 0].tolist() == [255, 0, 0]
    assert decode_picture(encode_png(red), "red", grey=False)[0, 0].tolist() == [255, 0, 0]
    assert decode_picture(encode_png(red), "red")[0, 0] == 76  # BT.601


@pytest.mark.parametrize("mode", ["1", "P"])
def test_one_bit_and_palette_are_widened(mode: str) -> None:
    picture = Image.fromarray(GREY).convert(mode)
    wanted = np.asarray(picture.convert("L"))
    assert np.array_equal(decode_picture(encoded(picture, "PNG"), mode), wanted)


def test_real_one_bit_boards() -> None:
    folder = Path(__file__).parents[3] / "shared/datasets/deeppcb/images"
    if not folder.is_dir():
        pytest.skip("the DeepPCB pictures are not here")
    picture = read_picture(list_pictures(folder)[0])
    assert picture.shape == (640, 640)
    assert set(np.unique(picture)) == {0, 255}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (cv2.imencode(".png", GREY.astype(np.uint16))[1].tobytes(), "16 bits per channel"),
        (cv2.imencode(".tif", GREY.astype(np.uint16))[1].tobytes(), "16 bits per channel"),
        (encoded(Image.fromarray(COLOUR).convert("RGBA"), "PNG"), "alpha channel"),
        (encoded(Image.fromarray(GREY).convert("LA"), "PNG"), "alpha channel"),
        (encoded(Image.fromarray(GREY), "PNG", transparency=3), "alpha channel"),
        (encoded(Image.fromarray(COLOUR), "GIF"), "no PNG, JPEG, BMP or TIFF"),
        (b"", "is empty"),
        (b"\0" * 4096, "no PNG, JPEG, BMP or TIFF"),
    ],
)
def test_what_no_camera_gives_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason) as caught:
        decode_picture(data, "part-7.png")
    assert str(caught.value).startswith("part-7.png:")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
@pytest.mark.parametrize("progressive", [False, True])
def test_every_truncation_is_noticed(kind: str, progressive: bool) -> None:
    options = {"progressive": True} if progressive and kind == "JPEG" else {}
    data = encoded(Image.fromarray(COLOUR), kind, **options)
    for length in range(0, len(data) - 1, 7):
        with pytest.raises(PictureError):
            decode_picture(data[:length], "cut")


def test_a_jpeg_whose_preview_is_whole_but_whose_picture_is_cut_is_noticed() -> None:
    preview = encode_jpeg(GREY)
    segment = b"\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview
    data = encode_jpeg(GREY)
    with_preview = data[:2] + segment + data[2:]
    assert decode_picture(with_preview, "whole").shape == GREY.shape
    with pytest.raises(PictureError, match="no end marker"):
        decode_picture(with_preview[: len(segment) + len(data) // 2], "cut")


def test_every_flipped_byte_of_a_png_is_noticed_or_harmless() -> None:
    data = encode_png(GREY)
    for at in range(8, len(data), 5):
        damaged = bytearray(data)
        damaged[at] ^= 0x41
        try:
            picture = decode_picture(bytes(damaged), "flipped")
        except PictureError:
            continue
        assert np.array_equal(picture, GREY)


def test_orientation_tag_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    assert decode_picture(encoded(Image.fromarray(GREY), "JPEG", exif=exif), "turned").shape == GREY.shape


def test_missing_file_and_folder_in_its_place_are_picture_errors(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="No such file"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(PictureError, match="Is a directory"):
        read_picture(tmp_path)


def test_folder_is_listed_by_name_and_other_files_are_left_out(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in list_pictures(tmp_path)] == ["a.JPG", "b.png"]


def test_empty_or_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no picture"):
        list_pictures(tmp_path)
    with pytest.raises(StorageError, match="No such file"):
        list_pictures(tmp_path / "none")


@pytest.mark.parametrize("picture", [GREY, COLOUR])
def test_written_pictures_are_lossless_and_leave_nothing_beside_them(tmp_path: Path, picture: Picture) -> None:
    write_png(tmp_path / "a.png", picture)
    assert np.array_equal(read_picture(tmp_path / "a.png", grey=picture.ndim == 2), picture)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_writing_into_nowhere_is_a_storage_error_that_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none/a\.png: No such file"):
        write_png(tmp_path / "none" / "a.png", GREY)
