"""The commands, in the order in which a newcomer meets them."""

import typer

from linewatch.cli import (
    actuators,
    commissioning,
    dashboard,
    demonstration,
    exporting,
    faults,
    fleet,
    install,
    keys,
    models,
    prompts,
    recordings,
    stations,
    training,
)

app = typer.Typer(
    help="Inspection daemon for factory lines: from the gate to the rejecter, one decision for every part.",
    no_args_is_help=True,
    add_completion=False,
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
    fleet.fleet,
    faults.faults,
    training.train,
    training.evaluate,
    training.tune,
    exporting.export,
    demonstration.render,
    install.install,
):
    app.command()(command)
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.add_typer(prompts.app, name="prompts")
