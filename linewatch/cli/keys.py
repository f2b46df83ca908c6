"""`keys`: who may connect to a line over the network."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make keys, and say whose may connect to a line over the network.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option(help="Folder of the keys: security.folder of the station file.")]
KEYS = Path("keys")


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Whose keys: `server` for the line itself, else the client's name.")
    ],
    folder: Folder = KEYS,
) -> None:
    """Make NAME.key, which stays secret and where it is used, and NAME.pub, which may be given away."""
    from linewatch.core.curve import new_pair
    from linewatch.core.keyring import Keyring

    for path, what in zip(Keyring(folder).add(name, *new_pair()), ("secret", "public"), strict=True):
        typer.echo(f"{what}  {path}")


@app.command()
def signing(
    name: Annotated[str, typer.Argument(help="Who signs, as it stands in what is signed.")] = "challenge",
    folder: Annotated[Path, typer.Option(help="Folder of the signing keys.")] = KEYS / "signing",
) -> None:
    """Make NAME.key to sign reports with, and NAME.pub to verify them; neither lets anybody connect."""
    from linewatch.core.keyring import Keyring
    from linewatch.core.signatures import new_signing_pair

    for path, what in zip(Keyring(folder).add(name, *new_signing_pair()), ("secret", "public"), strict=True):
        typer.echo(f"{what}  {path}")


@app.command()
def allow(
    pub: Annotated[Path, typer.Argument(metavar="PUB", help="NAME.pub of the client.")], folder: Folder = KEYS
) -> None:
    """Let a client connect; a running line notices within a second."""
    from linewatch.core.keyring import Keyring

    typer.echo(f"{Keyring(folder).allow(pub)} may connect to lines with the keys in {folder}")


@app.command("list")
def list_(folder: Folder = KEYS) -> int:
    """Say whose keys there are, and who of them may connect."""
    from linewatch.core.keyring import SERVER, Keyring, read_allowed

    ring = Keyring(folder)
    allowed, wrong = read_allowed(ring.allowed_folder) if ring.allowed_folder.exists() else ({}, [])
    for name, public in ring.public_keys().items():
        state = "the line" if name == SERVER else "allowed" if name in allowed.values() else "not allowed"
        typer.echo(f"{name:<20}  {state:<11}  {public}")
    for error in wrong:
        typer.echo(f"error: {error}", err=True)
    return wrong[0].exit_code if wrong else 0


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `keys list` shows it.")], folder: Folder = KEYS
) -> None:
    """Let a client connect no more; a running line cuts it off within a second."""
    from linewatch.core.keyring import Keyring

    path = Keyring(folder).revoke(name)
    typer.echo(f"{name} may connect no more ({path} is removed)")
