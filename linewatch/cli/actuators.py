"""`actuator`: a line's decisions to a PLC or a relay."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def actuator(
    endpoint: Annotated[str, typer.Option(help="The line's ROUTER, as ipc:///run/linewatch/NAME/actuators.sock.")],
    station: Annotated[str, typer.Option(help="Name of the station whose decisions count.")],
    name: Annotated[
        str, typer.Option(help="Name to register as, 1 to 64 characters; one actuator a name.")
    ] = "rejecter",
    modbus: Annotated[
        str | None,
        typer.Option(metavar="HOST[:PORT]", help="PLC to write to over Modbus/TCP, port 502 by default (docs/plc.md)."),
    ] = None,
    unit: Annotated[int, typer.Option(min=0, max=255, help="The PLC's Modbus unit id.")] = 1,
    base: Annotated[int, typer.Option(min=0, max=65_000, help="Address of the first coil and register.")] = 0,
    relay: Annotated[str | None, typer.Option(metavar="PORT", help="Serial port of a relay (docs/plc.md).")] = None,
    relay_line: Annotated[
        Literal["rts", "dtr"] | None,
        typer.Option(help="Switch this control line of the relay's port instead: on lets parts pass."),
    ] = None,
    baud: Annotated[int, typer.Option(min=300, help="Bits per second of the relay's port.")] = 115_200,
    pulse_ms: Annotated[float, typer.Option(min=1, help="How long it blows for one part, ms.")] = 50.0,
    tolerance_ms: Annotated[
        float,
        typer.Option(min=0, help="A blow later than this, ms, would hit another part: it is left out and counted."),
    ] = 50.0,
    confirm_ms: Annotated[
        float | None,
        typer.Option(
            min=1, help="A sensor must see each part leave within this time of its blow, ms; none without a sensor."
        ),
    ] = None,
    line_key: Annotated[Path | None, typer.Option(help="The line's server.pub, for a line on tcp.")] = None,
    key: Annotated[Path | None, typer.Option(help="This client's NAME.key; the line allows NAME.pub.")] = None,
    log: Annotated[Path | None, typer.Option(help="JSON lines are appended here; standard output by default.")] = None,
) -> None:
    """Drive a rejecter: a PLC over Modbus/TCP, or a serial relay.

    Runs on the machine of the line, whose clock it shares, until SIGTERM or Ctrl-C; give --modbus or --relay.
    """
    from linewatch.actuators.client import Client
    from linewatch.actuators.command import read_keys, serve
    from linewatch.actuators.devices import build_output

    keys = read_keys(line_key, key)
    output = build_output(
        modbus=modbus,
        unit=unit,
        base=base,
        relay=relay,
        baud=baud,
        relay_line=relay_line,
        confirms=confirm_ms is not None,
    )
    with Client(endpoint, station, name, keys=keys) as client:
        serve(client, output, log, tolerance_ms=tolerance_ms, pulse_ms=pulse_ms, confirm_ms=confirm_ms)
