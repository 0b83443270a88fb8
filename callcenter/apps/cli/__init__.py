"""The command ``callcenter``.

Each command loads what it needs and nothing more: ``agent ready`` must be quick, and the engine must never load
the database's libraries. Errors are one sentence with a fix; exit code 1 is a failure, 2 a wrong use or configuration.
"""

import typer

from callcenter.apps.bench import bench_app
from callcenter.apps.cli.agent import agent_app
from callcenter.apps.cli.api import api_app
from callcenter.apps.cli.audit import audit_app
from callcenter.apps.cli.calendar import calendar_app
from callcenter.apps.cli.callback import callback_app
from callcenter.apps.cli.config import config_app
from callcenter.apps.cli.do_not_call import do_not_call_app
from callcenter.apps.cli.flow import flow_app
from callcenter.apps.cli.live import live_app
from callcenter.apps.cli.payment import payment_app
from callcenter.apps.cli.person import person_app
from callcenter.apps.cli.phone import phone_app
from callcenter.apps.cli.processes import process_app
from callcenter.apps.cli.prompt import prompt_app
from callcenter.apps.cli.report import record_app
from callcenter.apps.cli.voicemail import voicemail_app
from callcenter.apps.cli.webhook import webhook_app
from callcenter.apps.simulate import simulate_app

app = typer.Typer(
    name="callcenter",
    help="A telephony-first call center on Asterisk.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (process_app, live_app, record_app):
    app.add_typer(commands)
app.add_typer(agent_app, name="agent")
app.add_typer(config_app, name="config")
app.add_typer(simulate_app, name="simulate")
app.add_typer(bench_app, name="bench")
app.add_typer(callback_app, name="callback")
app.add_typer(payment_app, name="payment")
app.add_typer(phone_app, name="phone")
app.add_typer(do_not_call_app, name="do-not-call")
app.add_typer(flow_app, name="flow")
app.add_typer(prompt_app, name="prompt")
app.add_typer(calendar_app, name="calendar")
app.add_typer(voicemail_app, name="voicemail")
app.add_typer(webhook_app, name="webhook")
app.add_typer(api_app, name="api")
app.add_typer(person_app, name="person")
app.add_typer(audit_app, name="audit")


def main() -> None:
    """The entry point of the command."""
    app()
