"""`calibrate`: what a camera and its place on the line were found to be."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from linewatch.cli.options import Station

if TYPE_CHECKING:
    from linewatch.core.errors import CalibrationError

app = typer.Typer(help="Find lens, scale, even light and timing of a station's camera.", no_args_is_help=True)
Kind = Annotated[Literal["charuco", "chessboard"], typer.Option(help="ChArUco may be seen in part, a chessboard not.")]
Columns = Annotated[int, typer.Option(help="Squares across the target.")]
Rows = Annotated[int, typer.Option(help="Squares down the target.")]
Square = Annotated[float, typer.Option(help="Side of a square, mm, as measured on the target.")]
Marker = Annotated[float, typer.Option(help="ChArUco: side of a marker, mm; 0 is three quarters of the square.")]
Markers = Annotated[Literal["4x4", "5x5", "6x6"], typer.Option(help="ChArUco: OpenCV's dictionary of the markers.")]
Output = Annotated[Path | None, typer.Option(help="New folder; calibration/NAME/DATE beside stations/ by default.")]
Force = Annotated[bool, typer.Option("--force", help="Write although something is wrong, and name it there.")]
Before = Annotated[
    Path | None, typer.Option("--from", help="Calibration that the rest is taken over from; the station's by default.")
]


@app.command()
def target(
    output: Annotated[Path, typer.Option(help="PDF or PNG (600 dpi).")],
    kind: Kind = "charuco",
    columns: Columns = 11,
    rows: Rows = 8,
    square_mm: Square = 20.0,
    marker_mm: Marker = 0.0,
    markers: Markers = "4x4",
    paper: Annotated[Literal["a5", "a4", "a3", "letter"], typer.Option(help="Page, upright or across.")] = "a4",
) -> None:
    """Print the target in true scale, with a ruler to measure after printing."""
    from linewatch.calibrating.printing import print_target
    from linewatch.calibrating.target import Target

    made = Target(kind, columns, rows, square_mm, marker_mm, markers)
    print_target(made, output, paper)
    typer.echo(f"{output}: {made}, on {paper}; print at 100 %, glue it onto something flat, measure the ruler")


@app.command()
def take(
    station: Station,
    output: Annotated[Path, typer.Option(help="New folder for the pictures.")],
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 15,
    every: Annotated[
        float | None, typer.Option(min=0, help="Seconds between them; without it, Enter takes one.")
    ] = None,
    look_for: Annotated[bool, typer.Option("--target/--plain", help="Say of each whether it shows the target.")] = True,
    kind: Kind = "charuco",
    columns: Columns = 11,
    rows: Rows = 8,
    square_mm: Square = 20.0,
    marker_mm: Marker = 0.0,
    markers: Markers = "4x4",
) -> None:
    """Take pictures with the station's camera, as `camera` wants them; the line must not run."""
    from linewatch.calibrating.taking import take_pictures
    from linewatch.calibrating.target import Target

    made = Target(kind, columns, rows, square_mm, marker_mm, markers) if look_for else None
    taken = take_pictures(station, output, count, every_s=every, target=made, say=typer.echo)
    typer.echo(f"{taken} pictures in {output}")


@app.command()
def camera(
    station: Station,
    pictures: Annotated[Path | None, typer.Option(help="Folder: the target from many sides, 15 or more.")] = None,
    plane: Annotated[
        Path | None, typer.Option(help="Picture of the target flat where the parts are; plane.png of the folder.")
    ] = None,
    flat: Annotated[Path | None, typer.Option(help="Folder: an evenly bright surface, 8 or more.")] = None,
    dark: Annotated[Path | None, typer.Option(help="Folder: the lens covered, 8 or more.")] = None,
    kind: Kind = "charuco",
    columns: Columns = 11,
    rows: Rows = 8,
    square_mm: Square = 20.0,
    marker_mm: Marker = 0.0,
    markers: Markers = "4x4",
    max_error: Annotated[float, typer.Option(min=0, help="Largest reprojection error, px rms.")] = 0.5,
    before: Before = None,
    output: Output = None,
    force: Force = False,
) -> int:
    """Find lens and scale from pictures of the target, and flat and dark field from bright and dark ones."""
    from linewatch.calibrating.camera import Sources
    from linewatch.calibrating.command import camera_command
    from linewatch.calibrating.target import Target

    made = Target(kind, columns, rows, square_mm, marker_mm, markers)
    sources = Sources(made, pictures, plane, flat, dark)
    folder, faults = camera_command(
        station, sources, before=before, output=output, most_error_px=max_error, force=force
    )
    return _ended(station, folder, faults)


@app.command()
def timing(
    station: Station,
    delays: Annotated[
        str, typer.Option(metavar="FROM:TO:STEP", help="Gate to exposure, ms; one part for each.")
    ] = "0:80:4",
    transport_ms: Annotated[float | None, typer.Option(help="Gate to rejecter, ms, as measured.")] = None,
    rejecter_mm: Annotated[
        float | None, typer.Option(help="Gate to rejecter, mm, by tape; the speed gives the time.")
    ] = None,
    rejecter_log: Annotated[
        Path | None, typer.Option(help="Log of `actuator --confirm-ms`: when its sensor saw parts leave.")
    ] = None,
    sensor_mm: Annotated[float, typer.Option(help="That sensor, so far behind the rejecter, mm.")] = 0.0,
    before: Before = None,
    output: Output = None,
    force: Force = False,
) -> int:
    """Send a test part through gate and camera: its speed, and when it is in the middle; the line must not run."""
    from linewatch.calibrating.command import timing_command
    from linewatch.calibrating.rejecter import Way
    from linewatch.calibrating.stepping import parse_delays

    steps, way = parse_delays(delays), Way(transport_ms, rejecter_mm, rejecter_log, sensor_mm)
    folder, faults = timing_command(station, steps, way, before=before, output=output, force=force, say=typer.echo)
    return _ended(station, folder, faults)


def _ended(station: Path, folder: Path | None, faults: "Sequence[CalibrationError]") -> int:
    """Say what came of it; the exit code."""
    from linewatch.core.station import site_folder
    from linewatch.pictures.calibration import described, load_calibration

    for fault in faults:
        typer.echo(f"{'error' if folder is None else 'accepted'}: {fault}", err=True)
    if folder is None:
        typer.echo(f"{len(faults)} errors, nothing is written (--force writes what can be used, and names them there)")
        return faults[0].exit_code
    typer.echo(f"calibration {described(folder, load_calibration(folder))}")
    site, whole = site_folder(station), folder.resolve()
    named = whole.relative_to(site) if whole.is_relative_to(site) else whole
    typer.echo(f"look at {folder / 'sheet.html'}, then put into the station file: calibration: {named}")
    return 0
