"""Whether a picture file is whole, before any pixel is decoded.

Decoders forgive: from a JPEG whose end is missing some give a picture with a grey patch. A part must not be judged by
such a picture, so the file's own structure is walked first.
"""

import re
import struct
import zlib

TRANSPARENT = "has an alpha channel, which no camera gives: save it without transparency"


class Broken(Exception):
    """Why the file is not a whole picture; the text is the reason."""


def check_whole(data: bytes) -> str:
    """The kind of the picture file `data`: png, jpeg, bmp or tiff.

    Raises Broken when it is none of them, damaged, cut short or transparent.
    Of a TIFF only the kind is told here: its directory lies anywhere, and the decoder refuses one that is cut short.
    """
    if not data:
        raise Broken("is empty")
    if data.startswith(_PNG):
        _check_png(data)
        return "png"
    if data.startswith(b"\xff\xd8"):
        _check_jpeg(data)
        return "jpeg"
    if data.startswith(b"BM"):
        _check_bmp(data)
        return "bmp"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "tiff"
    raise Broken("is no PNG, JPEG, BMP or TIFF picture")


_PNG = b"\x89PNG\r\n\x1a\n"


def _check_png(data: bytes) -> None:
    """Every chunk carries its length and checksum; the last is IEND."""
    at = len(_PNG)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        shown, end = name.decode("ascii", "replace"), at + 8 + length
        if end + 4 > len(data):
            raise Broken(f"is cut short inside the PNG chunk {shown}")
        if zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise Broken(f"is damaged: the checksum of the PNG chunk {shown} is wrong")
        if name == b"tRNS":  # a decoder may drop it silently
            raise Broken(TRANSPARENT)
        if name == b"IEND":
            return
        at = end + 4
    raise Broken("is cut short: the PNG has no end chunk")


# Inside a scan 0xFF is followed by 00 (stuffing), FF (fill) or a restart marker; anything else ends the scan.
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SCAN, _END, _FILL = 0xDA, 0xD9, 0xFF


def _check_jpeg(data: bytes) -> None:
    """Segments with lengths, scans without, an end marker; that of a preview inside a segment does not count."""
    at, scans = 2, 0
    while at + 4 <= len(data) or data[at : at + 2] == b"\xff\xd9":
        marker = data[at + 1]
        if data[at] != 0xFF:
            raise Broken("is damaged: a JPEG marker is missing")
        if marker == _FILL:
            at += 1
            continue
        if marker == _END:
            if not scans:
                raise Broken("is damaged: the JPEG holds no picture")
            return
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
        if marker == _SCAN:
            scans += 1
            end = _SCAN_END.search(data, at)
            at = len(data) if end is None else end.start()
    raise Broken("is cut short: the JPEG has no end marker")


def _check_bmp(data: bytes) -> None:
    if len(data) < 26 or len(data) < struct.unpack_from("<I", data, 2)[0]:
        raise Broken("is cut short: the BMP is smaller than it says")
