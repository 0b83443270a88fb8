"""``callcenter api``: what programs need to know of the API."""

import typer

api_app = typer.Typer(no_args_is_help=True, help="The API: /api/v1 of the web process.")


@api_app.callback()
def api() -> None:
    """The API: /api/v1 of the web process."""


@api_app.command()
def schema() -> None:
    """Print the OpenAPI 3.1 document; the web process serves it at /api/v1/openapi.json."""
    from callcenter.adapters.web.api.all import schema as document

    typer.echo(document(), nl=False)
