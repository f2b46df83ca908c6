"""The commands, in the order in which a newcomer meets them."""

import typer

from linewatch.cli import data, line, models, prompts, recordings, trials, training

app = typer.Typer(
    help="Inspection daemon for factory lines: from the gate to the rejecter, one decision for every part.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
