"""Versions of what a process ran with, as one line of YAML."""

import click


@click.command()
@click.option("--process", required=True, help="Name of the process.")
@click.argument("packages", nargs=-1)
def versions(process: str, packages: tuple[str, ...]) -> None:
    """Print ``process: {python: ..., package: ...}`` for the named packages, without importing them."""
    import json
    import platform
    from importlib.metadata import version

    from pharmacell import __version__

    found = {"python": platform.python_version(), "pharmacell": __version__}
    found |= {package: version(package) for package in packages}
    click.echo(f"{process.rpartition(':')[2]}: {json.dumps(found)}")
