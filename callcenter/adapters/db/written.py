"""What agents wrote of contacts, read from the facts: the last note, the last answers of each script, how the talk sounded."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_WRITTEN = text("""
    SELECT contact_id, kind, agent, at, body FROM fact
    WHERE call_id = ANY(:calls) AND kind IN ('ContactNoted', 'ScriptFilled', 'TalkMeasured') ORDER BY at, seq, n
""")
_FIGURES = ("received", "lost", "jitter_ms", "rtt_ms", "worst_loss", "worst_jitter_ms", "worst_rtt_ms")

Written = Mapping[str, Any]
"""``note``, ``scripts`` (each ``script``, ``done``, ``answers`` of ``field`` and ``answer``), ``sound`` (figures of the talk, or None)."""
NOTHING: Written = {"note": "", "scripts": [], "sound": None}


async def written_of(connection: AsyncConnection, calls: Sequence[str]) -> Mapping[str, Written]:
    """By contact, of all contacts of these calls of which anything was written. What came later takes the place of what came before it."""
    notes: dict[str, str] = {}
    filled: dict[str, dict[str, Mapping[str, object]]] = defaultdict(dict)
    sounds: dict[str, Mapping[str, object]] = {}
    for row in await connection.execute(_WRITTEN, {"calls": list(calls)}):
        body = row.body
        if row.kind == "ContactNoted":
            notes[row.contact_id] = body["note"]
        elif row.kind == "ScriptFilled":
            pairs = zip(body.get("fields", ()), body.get("answers", ()), strict=False)
            answers = [{"field": field, "answer": answer} for field, answer in pairs]
            filled[row.contact_id][body["script"]] = {"script": body["script"], "done": bool(body.get("done")), "answers": answers}
        else:
            sounds[row.contact_id] = {"agent": row.agent, **{name: body[name] for name in _FIGURES}}
    return {
        contact: {"note": notes.get(contact, ""), "scripts": list(filled[contact].values()), "sound": sounds.get(contact)}
        for contact in {*notes, *filled, *sounds}
    }
