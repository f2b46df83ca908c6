"""`prompts`: the descriptions of the defect classes, and what the text encoder makes of them."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Write and embed the descriptions of defect classes.", no_args_is_help=True)

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder.")]


@app.command()
def write(
    model: Model,
    endpoint: Annotated[str, typer.Option(help="Chat endpoint up to /v1, as http://localhost:11434/v1.")],
    language_model: Annotated[str, typer.Option(help="Name of the language model there.")],
    product: Annotated[str, typer.Option(help="What is inspected and how the picture is taken.")],
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="A class; more than once; those of prompts.yaml by default.")
    ] = None,
    api_key_env: Annotated[str | None, typer.Option(help="Environment variable that holds the API key.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
) -> None:
    """Let a language model write MODEL/prompts.yaml; the difference is shown before anything is written."""
    from linewatch.training.prompt_writing import Writer, write_prompts
    from linewatch.training.prompts import read_prompts

    path = model / "prompts.yaml"

    def confirm(difference: str) -> bool:
        typer.echo(difference)
        return yes or typer.confirm(f"write {path}?")

    wanted = classes or list(read_prompts(path).classes)
    written = write_prompts(path, Writer(endpoint, language_model, api_key_env), wanted, product, confirm)
    typer.echo(f"{path} written; now `linewatch prompts embed {model}`" if written else "nothing written")


@app.command()
def embed(
    model: Model,
    encoder: Annotated[Path | None, typer.Option(help="Folder of a sentence-transformers model.")] = None,
) -> None:
    """Embed MODEL/prompts.yaml into MODEL/text.safetensors; needs the extra linewatch[teacher]."""
    from linewatch.training.teacher import write_text

    typer.echo(f"{write_text(model, encoder=encoder)} written")
