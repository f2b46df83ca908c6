"""The commands, in the order in which a newcomer meets them."""

import typer

from linewatch.cli import (
    actuators,
    audit,
    calibrating,
    commissioning,
    dashboard,
    demonstration,
    exporting,
    faults,
    fleet,
    install,
    keys,
    labels,
    manuals,
    models,
    prompts,
    quality,
    recordings,
    shadow,
    stations,
    training,
)
from linewatch.cli.examples import TOP, describe

app = typer.Typer(
    help="Inspection daemon for factory lines: from the gate to the rejecter, one decision for every part.",
    epilog=TOP,
    context_settings={"max_content_width": 100},
    no_args_is_help=True,
    rich_markup_mode=None,  # its markup takes the brackets of linewatch[onnx] for its own
    pretty_exceptions_enable=False,
)
for command in (
    demonstration.demo,
    recordings.replay,
    commissioning.init,
    stations.check,
    stations.run,
    stations.record,
    actuators.actuator,
    dashboard.dashboard,
    quality.report,
    quality.challenge,
    fleet.fleet,
    faults.faults,
    training.train,
    training.evaluate,
    training.tune,
    exporting.export,
    demonstration.render,
    install.install,
    manuals.man,
):
    app.command()(command)
app.add_typer(audit.app, name="audit")
app.add_typer(calibrating.app, name="calibrate")
app.add_typer(keys.app, name="keys")
app.add_typer(labels.app, name="labels")
app.add_typer(models.app, name="models")
app.add_typer(prompts.app, name="prompts")
app.add_typer(shadow.app, name="shadow")
describe(app)
