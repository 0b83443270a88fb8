"""What there is of flows: which version callers get, where it comes from, and what was done so far."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from callcenter.apps.flow_publishing import ask_flows
from callcenter.runtime.flow_store import InUse
from callcenter.runtime.settings import Settings
from callcenter.services.control_client import EngineAway, RequestRefused


def overview(settings: Settings) -> dict[str, Any]:
    """All flows, in use or only published once."""
    sources = settings.flow_sources
    used, engine = sources.store.in_use(), _engine(settings)
    inside: Counter[str] = Counter()
    for group in engine.get("inside", []):
        inside[group["flow"]] += group["callers"]
    flows = []
    for name in sorted({*settings.flows, *used}):
        now = used.get(name, InUse(0))
        document = sources.in_use.get(name)
        told = {
            "flow": name,
            "title": settings.flows[name].title if name in settings.flows else "",
            "version": now.version,
            "from": _origin(settings, name),
            "canary": now.canary,
            "share": now.share,
            "not_used": sources.aside.get(name, ""),
            "callers": inside[name],
            "nodes": len(document.section.nodes) if document else len(settings.flows[name].nodes) if name in settings.flows else 0,
        }
        if now.version:
            version = sources.store.find(name, now.version)
            told |= {"at": version.at.isoformat(), "author": version.author, "note": version.note}
        if engine:
            told["engine_has"] = engine["flows"].get(name)
        flows.append(told)
    return {"engine": bool(engine), "flows": flows}


def _origin(settings: Settings, name: str) -> str:
    document = settings.flow_sources.in_use.get(name)
    if document is not None:
        return "published" if document.version else str(document.file)
    return f"[flow.{name}] of {settings.file}" if name in settings.flow_tables else "nowhere"


def _engine(settings: Settings) -> Mapping[str, Any]:
    """What the engine has in use; nothing when it does not run."""
    try:
        return dict(ask_flows(settings, "flows"))
    except (EngineAway, RequestRefused):
        return {}


def overview_words(told: Mapping[str, Any]) -> str:
    lines = []
    for flow in told["flows"]:
        version = f"version {flow['version']}" if flow["version"] else ""
        where = flow["from"] if not flow["version"] else f"{flow['at'][:16].replace('T', ' ')} UTC {flow['author']}".rstrip()
        line = f"{flow['flow']:<20} {version:<12} {where}"
        line += f'  "{flow["note"]}"' if flow.get("note") else ""
        line += f"  canary: version {flow['canary']} for {100 * flow['share']:.3g} % of the calls" if flow["canary"] else ""
        line += f"  {flow['callers']} inside" if flow["callers"] else ""
        line += f"  (not used: {flow['not_used']})" if flow["not_used"] else ""
        if told["engine"] and flow["engine_has"] != flow["version"]:
            line += "  the engine has another one: callcenter reload takes this one up"
        lines.append(line.rstrip())
    return "\n".join(lines) or "no flows yet; write one: docs/flows.md"


def history(settings: Settings, flow: str) -> dict[str, Any]:
    """Versions and actions of one flow, the newest first."""
    store = settings.flow_sources.store
    now = store.in_use().get(flow, InUse(0))
    versions = [
        {
            "version": version.number,
            "at": version.at.isoformat(),
            "author": version.author,
            "note": version.note,
            "sha256": version.sha256,
            "file": str(version.document),
            "in_use": version.number == now.version,
            "canary": now.share if version.number == now.canary else 0.0,
        }
        for version in reversed(store.versions(flow))
    ]
    actions = [
        {"at": action.at, "by": action.by, "did": action.did, "version": action.canary or action.version, "note": action.note}
        for action in reversed(store.actions())
        if action.flow == flow
    ]
    return {"flow": flow, "from": _origin(settings, flow), "versions": versions, "actions": actions}


def history_words(told: Mapping[str, Any]) -> str:
    lines = []
    for version in told["versions"]:
        words = ["in use"] if version["in_use"] else []
        words += [f"canary for {100 * version['canary']:.3g} % of the calls"] if version["canary"] else []
        line = f"{version['version']:>4}  {_when(version['at'])}  {version['author']:<12} {', '.join(words):<8}  {version['note']}"
        lines.append(line.rstrip())
    if not lines:
        lines.append(f"{told['flow']}: never published; from {told['from']}")
    for action in told["actions"]:
        which = action["version"] or "the one of the files"
        lines.append(f"      {_when(action['at'])}  {action['by']:<12} {action['did']} {which}  {action['note']}".rstrip())
    return "\n".join(lines)


def _when(iso: str) -> str:
    return f"{iso[:19].replace('T', ' ')} UTC"
