"""The recorded shop sessions as events: each click gets an instant of its own, the same at every run."""

import csv
import datetime
import gzip
import hashlib
import json
import os
import pathlib

from core import ROOT

RECORDING = pathlib.Path(os.environ.get("ATTUNE_RECORDING", ROOT / "../shared/data/eshop2008_apr_may.csv.gz"))
BATCH_EVENTS = 1_000
"""Events handed over in one call: a call costs a host in Python some 30 µs, whatever it carries."""

SIGNAL = {"name": "clicks_in_category", "key": {"$path": "event.metadata.category"}, "is": {"$gte": 3}}
RULES = {
    "signals": [
        {"name": "clicks_in_category", "on": "click", "by": "metadata.category", "aggregate": "count", "window": "session"},
        {"name": "price_cents", "on": "click", "of": "metadata.price_cents", "aggregate": "sum", "window": "lifetime"},
    ],
    "triggers": [
        {
            "id": "third-click",
            "on": "click",
            "when": {"$signal": SIGNAL},
            "cap": {"per": "session", "key": "event.metadata.category", "count": 1},
            "actions": [],
        }
    ],
}
"""The third click in one main category within a session."""


def batches():
    """JSON arrays of events, whole sessions one after another."""
    events = [event for visit in visits() for event in visit]
    for at in range(0, len(events), BATCH_EVENTS):
        yield json.dumps(events[at : at + BATCH_EVENTS])


def visits():
    """The events of each session."""
    clicks = {}
    with gzip.open(RECORDING, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            clicks.setdefault(int(row["session_id"]), []).append({name: int(value) for name, value in row.items()})
    return [list(_visit(session, clicks[session])) for session in sorted(clicks)]


def _visit(session, clicks):
    clicks.sort(key=lambda click: click["order"])
    first = clicks[0]
    at = datetime.datetime(first["year"], first["month"], first["day"])
    at += datetime.timedelta(milliseconds=_draw("start", session, 0) % 57_600_000)
    for number, click in enumerate(clicks, 1):
        # Sessions run for hours, so pauses stay below the 30 minutes that would end them.
        at += datetime.timedelta(milliseconds=1_000 + _draw("gap", session, click["order"]) % 180_000)
        yield {
            "event_id": f"shop-{session}-{click['order']}",
            "event_type": "click",
            "timestamp": at.isoformat(timespec="milliseconds") + "Z",
            "anonymous_id": f"visitor-{session}",
            "session_id": f"session-{session}",
            "lane": f"lane-{session}",
            "seq": number,
            "metadata": {
                "category": str(click["page1_main_category"]),
                "product_id": str(click["page2_clothing_model"]),
                "price_cents": 100 * click["price"],
            },
        }


def _draw(purpose, session, order):
    return int.from_bytes(hashlib.blake2b(f"{purpose}/{session}/{order}".encode(), digest_size=8).digest(), "big")
