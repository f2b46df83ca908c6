"""`linewatch export`: write, prove, and only then keep."""

from collections.abc import Iterable
from pathlib import Path

from linewatch.core.errors import CheckFailed, StorageError
from linewatch.dsmoe.network import DsMoe
from linewatch.dsmoe.weights import load_model
from linewatch.export.agreement import BOX_TOLERANCE_PX, SCORE_TOLERANCE, Agreement, agreement
from linewatch.export.graph import write_onnx
from linewatch.export.pictures import drawn, given
from linewatch.inspection.onnx_file import OnnxFile
from linewatch.pictures.types import Picture


def export(folder: Path, output: Path, images: Path | None = None) -> Agreement:
    """Write the model in `folder` to the ONNX file `output`, and compare both. images: none compares drawn pictures.

    Raises ModelError, StorageError or PictureError; CheckFailed when torch and the file are further apart than allowed.
    Nothing is left then, and a file that was there before stays as it was.
    """
    model = load_model(folder)
    pictures = list(drawn(model.card.input_size) if images is None else given(images, model.card.input_size))
    unproven = output.with_name(output.name + ".new")
    try:
        write_onnx(model, unproven)
        return keep_proven(unproven, output, model.network, pictures)
    except OSError as exc:
        raise StorageError(output, exc.strerror or "cannot be written") from exc
    finally:
        unproven.unlink(missing_ok=True)


def keep_proven(unproven: Path, output: Path, network: DsMoe, pictures: Iterable[Picture]) -> Agreement:
    """Rename the file `unproven` to `output` if it agrees with `network` on the pictures; else raises CheckFailed."""
    found = agreement(OnnxFile(unproven), network, pictures)
    if not found.holds:
        raise CheckFailed(output, f"not written: {told(found)}")
    unproven.replace(output)
    return found


def told(found: Agreement) -> str:
    """The differences and what is allowed, on one line."""
    return (
        f"on {found.pictures} pictures torch and the file differ by at most {found.score:.2g} in score "
        f"({SCORE_TOLERANCE:g} is allowed) and {found.box_px:.2g} px in box ({BOX_TOLERANCE_PX:g} is allowed)"
    )
