"""``callcenter audit``: who did what, and whether the trail is whole."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.apps.cli.common import DEFAULT, FAILED, AsJson, Config, fail, settings_of, tell
from callcenter.apps.cli.person import store_call
from callcenter.domain.audit import AuditEntry, faults

if TYPE_CHECKING:
    pass

audit_app = typer.Typer(no_args_is_help=True, help="The audit trail: every change, and whoever listened or took something out.")


@audit_app.command("list")
def list_(
    config: Config = DEFAULT,
    person: Annotated[str, typer.Option(help="Only what this person did.")] = "",
    what: Annotated[str, typer.Option(help="Only such entries, as person_changed or listened.")] = "",
    before: Annotated[int | None, typer.Option(min=1, help="Only entries with lower numbers.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest first."""
    entries = store_call(config, lambda store: store.audit(before=before, limit=limit, person=person, what=what))
    if as_json:
        typer.echo(json.dumps({"entries": [told(entry) for entry in entries]}, indent=2))
        return
    for entry in entries:
        of, reason = (f"  {text}" if text else "" for text in (entry.deed.of, entry.deed.reason))
        tell(f"{entry.seq:>7}  {entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.by.person:<16} {entry.deed.what:<20}{of}{reason}")


def told(entry: AuditEntry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "person": entry.by.person,
        "via": entry.by.via,
        "address": entry.by.address,
        "what": entry.deed.what,
        "of": entry.deed.of,
        "reason": entry.deed.reason,
        "before": dict(entry.deed.before),
        "after": dict(entry.deed.after),
        "hash": entry.hash,
    }


@audit_app.command()
def verify(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Whether nothing was changed, removed or cut off; exit code 1 when something was."""
    from callcenter.adapters.db.people import PostgresPeople
    from callcenter.services.people.trail import anchors

    try:
        kept = list(anchors(settings_of(config).data))
    except (OSError, ValueError, KeyError) as error:
        fail(f"the anchors of the audit trail cannot be read: {error}")

    async def work(store: PostgresPeople) -> tuple[list[str], int]:
        entries = [entry async for entry in store.whole_trail()]
        return list(faults(entries, kept)), len(entries)

    found, count = store_call(config, work)
    if as_json:
        typer.echo(json.dumps({"whole": not found, "entries": count, "anchors": len(kept), "faults": found}, indent=2))
    else:
        for fault in found:
            typer.echo(fault)
        typer.echo(f"{count} entries, {len(kept)} anchors: {'the trail is whole' if not found else f'{len(found)} faults'}")
    if found:
        raise typer.Exit(FAILED)
