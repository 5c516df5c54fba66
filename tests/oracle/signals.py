"""Computes signals by brute force over raw events, as a measure for the core's tiles.

    python3 signals.py random <seed> <events>
    python3 signals.py eshop2008 <file.csv.gz>

Prints one JSON object: `signals` (definitions as authors write them), `zone` (instants in ms from which clocks are so
many minutes ahead of UTC), `events` in order of arrival, and `reads`, each with the value that is expected of a signal
under a key at an instant, once everything that had arrived by then is counted. Nothing is shared with the core: every
value is computed anew from the list of events.
"""

import csv
import datetime
import functools
import gzip
import json
import random
import sys
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

SECOND = 1_000
MINUTE = 60 * SECOND
QUARTER = 15 * MINUTE
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MISSING = object()
UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
EPOCH = datetime.datetime(1970, 1, 1)
# Central Europe over the two changes of 2026 and the first of 2027.
ZONE = [[0, 60], [1774746000000, 120], [1792890000000, 60], [1806195600000, 120]]


def duration(text):
    return int(text[:-1]) * UNITS[text[-1]]


@functools.cache
def bucket(window, named):
    """The step of a sliding window: the largest whole number of seconds that divides it and is at most a thirtieth."""
    if named:
        return duration(named)
    seconds = duration(window) // SECOND
    fitting = [step for step in range(1, max(1, seconds // 30) + 1) if seconds % step == 0]
    return fitting[-1] * SECOND


def period(window, at, zone):
    """What is equal for two instants of one day, week or month."""
    ahead = [minutes for since, minutes in zone if since <= at][-1]
    local = EPOCH + datetime.timedelta(milliseconds=at, minutes=ahead)
    if window == "today":
        return local.date()
    if window == "this_week":
        return local.isocalendar()[:2]
    return (local.year, local.month)


class Calendar:
    """Begins of periods, found by walking back a quarter of an hour at a time."""

    def __init__(self, zone):
        self.zone = zone
        self.known = {}

    def begin(self, window, now):
        at = now // QUARTER * QUARTER
        if (window, at) not in self.known:
            here, first = period(window, at, self.zone), at
            while period(window, first - QUARTER, self.zone) == here:
                first -= QUARTER
            self.known[window, at] = first
        return self.known[window, at]


def inside(signal, event, now, session, calendar):
    window, at = signal["window"], event["at"]
    if window == "lifetime":
        return True
    if window == "session":
        return session is not None and event["session"] == session
    if window in ("today", "this_week", "this_month"):
        return calendar.begin(window, now) <= at < now // QUARTER * QUARTER + QUARTER
    step = bucket(window, signal.get("bucket"))
    newest = now // step
    return newest - duration(window) // step < at // step <= newest


def path(event, dotted):
    value = event["metadata"]
    for name in dotted.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def matches(signal, event):
    if signal["on"] not in ("*", event["type"]):
        return False
    for dotted, test in signal.get("where", {}).items():
        value = path(event, dotted)
        if isinstance(test, dict):
            if test != {"$exists": True}:
                raise ValueError(f"the oracle does not know {test}")
            if value is None:
                return False
        elif value != test or isinstance(value, bool) != isinstance(test, bool):
            return False
    return True


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_key(value):
    """The text under which a value is a key; the streams have numbers of at most three decimals."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return str(int(value)) if value == int(value) else repr(value)
    return None


def instant(at):
    return (EPOCH + datetime.timedelta(milliseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def micros(value):
    if not is_number(value) or abs(value) > 1e9:
        return None
    return int((Decimal(repr(value)) * 1_000_000).to_integral_value(ROUND_HALF_UP))


def fold(signal, events):
    """The value over the events that count, given in order of time and then of id."""
    aggregate = signal["aggregate"]
    if aggregate == "count":
        return len(events)
    if aggregate in ("first_at", "last_at"):
        return instant(events[0 if aggregate == "first_at" else -1]["at"]) if events else MISSING
    values = [path(event, signal["of"]) for event in events]
    if aggregate in ("sum", "mean"):
        taken = [micro for micro in map(micros, values) if micro is not None]
        if aggregate == "sum":
            return float(Fraction(sum(taken), 1_000_000))
        return float(Fraction(sum(taken), 1_000_000 * len(taken))) if taken else MISSING
    if aggregate in ("min", "max"):
        numbers = [value for value in values if is_number(value)]
        return (min if aggregate == "min" else max)(numbers) if numbers else MISSING
    scalars = [value for value in values if isinstance(value, (str, bool)) or is_number(value)]
    if aggregate == "distinct":
        return len({as_key(value) for value in scalars})
    kept = [value for value in scalars if not isinstance(value, str) or len(value.encode()) <= 256]
    return kept[0 if aggregate == "first" else -1] if kept else MISSING


def read(signal, key, events, now, session, calendar):
    if signal["window"] == "session" and session is None:
        return MISSING
    counting = [event for event in events if matches(signal, event)]
    if "by" in signal:
        counting = [event for event in counting if as_key(path(event, signal["by"])) == key]
    counting = [event for event in counting if inside(signal, event, now, session, calendar)]
    return fold(signal, sorted(counting, key=lambda event: (event["at"], event["id"])))


def answer(signals, events, questions, zone):
    """Adds what is expected to questions of (signal, key, at, session, members) and prints everything."""
    named = {signal["name"]: signal for signal in signals}
    calendar = Calendar(zone)
    of_member = {}
    for event in events:
        of_member.setdefault(event["member"], []).append(event)
    reads = []
    for name, key, at, session, members in questions:
        seen = [event for member in members for event in of_member.get(member, []) if event["received"] <= at]
        value = read(named[name], key, seen, at, session, calendar)
        expected = {"missing": True} if value is MISSING else {"value": value}
        reads.append({"signal": name, "key": key, "at": at, "session": session, "members": members, **expected})
    # The metadata as text, so that both sides read the same digits.
    lines = [{**event, "metadata": json.dumps(event["metadata"], ensure_ascii=False)} for event in events]
    print(json.dumps({"signals": signals, "zone": zone, "events": lines, "reads": reads}, ensure_ascii=False))


AGGREGATES = ["count", "first_at", "last_at", "sum", "min", "max", "mean", "distinct", "first", "last"]
WINDOWS = ["5s", "5m", "1h", "7d", "90d", "400d", "session", "lifetime", "today", "this_week", "this_month"]


def random_signals():
    signals = []
    for place, window in enumerate(WINDOWS):
        for aggregate in AGGREGATES:
            signal = {"name": f"{aggregate}_{window}", "on": "page_view", "aggregate": aggregate, "window": window}
            if aggregate not in ("count", "first_at", "last_at"):
                signal["of"] = "metadata.inner.value" if place % 4 == 3 else "metadata.value"
            if len(signals) % 3 == 1:
                signal["by"] = "metadata.key"
            if len(signals) % 5 == 2:
                signal["where"] = {"metadata.shop": "a"}
            if len(signals) % 7 == 3:
                signal["on"] = "*"
            signals.append(signal)
    return signals + [
        {"name": "odd_bucket", "on": "page_view", "aggregate": "count", "window": "90m", "bucket": "9m"},
        {"name": "ids", "on": "*", "aggregate": "distinct", "of": "metadata.id", "window": "lifetime"},
        {"name": "ids_today", "on": "*", "aggregate": "distinct", "of": "metadata.id", "window": "today"},
    ]


def random_value(draw):
    kind = draw.randrange(12)
    if kind < 6:
        return draw.choice([draw.randrange(-50, 50), round(draw.uniform(-100, 100), 3), draw.randrange(5)])
    return [
        draw.choice(["a", "ü", "日本", "7", ""]),
        draw.choice([True, False]),
        None,
        [1, "a"],
        "ü" * draw.choice([128, 129]),
        draw.choice([1e9, -1e9, 1.1e9, 2.5e17]),
    ][kind - 6]


def random_stream(seed, count):
    draw = random.Random(seed)
    # Some days before the clocks go back, so that days of 25 hours and another month follow.
    start = 1792890000000 - 9 * DAY
    now, events = start, []
    for number in range(count):
        now += draw.choice([0, 1, 40, 3_000, 20_000, 5 * MINUTE, draw.randrange(3 * HOUR)])
        late = draw.choice([0, 0, 0, 0, 700, 4 * MINUTE, 2 * HOUR, 3 * DAY])
        ahead = draw.choice([0] * 30 + [HOUR])
        at = now - late + ahead
        metadata = {"key": f"k{draw.randrange(6)}", "id": f"id{draw.randrange(4 * count)}"}
        if draw.randrange(8) == 0:
            metadata["key"] = draw.choice([3, True, None, [1], "x" * 200])
        if draw.randrange(2):
            metadata["shop"] = draw.choice(["a", "b"])
        metadata["value"] = random_value(draw)
        metadata["inner"] = {"value": random_value(draw)}
        events.append(
            {
                "id": f"{draw.getrandbits(128):032x}",
                "type": draw.choice(["page_view", "page_view", "page_view", "click"]),
                "at": at,
                "received": now,
                "member": f"m{draw.randrange(3)}",
                "session": None if draw.randrange(9) == 0 else f"s{at // (6 * HOUR)}",
                "metadata": metadata,
            }
        )
    questions = []
    signals = random_signals()
    members = ["m0", "m1", "m2"]
    for place in range(1, 13):
        received = events[len(events) * place // 12 - 1]["received"]
        for at in (received, received + draw.choice([1, MINUTE, 7 * HOUR, 40 * DAY])):
            for signal in signals:
                # A session is forgotten some days after its end.
                current = at - received < DAY and draw.randrange(8)
                session = f"s{(received - HOUR) // (6 * HOUR)}" if current else None
                key = draw.choice(["k0", "k1", "k5", "3", "true", "none"]) if "by" in signal else ""
                questions.append((signal["name"], key, at, session, draw.choice([members, [draw.choice(members)]])))
    # The core absorbs while it is asked, so questions come in order of time.
    answer(signals, events, sorted(questions, key=lambda question: question[2]), ZONE)


ESHOP_SIGNALS = [
    {"name": "views", "aggregate": "count", "window": "lifetime"},
    {"name": "views_1h", "aggregate": "count", "window": "1h"},
    {"name": "by_category", "by": "metadata.category", "aggregate": "count", "window": "7d"},
    {"name": "by_model", "by": "metadata.model", "aggregate": "count", "window": "this_month"},
    {"name": "spent_today", "of": "metadata.price", "aggregate": "sum", "window": "today"},
    {"name": "mean_price", "of": "metadata.price", "aggregate": "mean", "window": "30d"},
    {"name": "dearest", "of": "metadata.price", "aggregate": "max", "window": "session"},
    {"name": "cheapest_week", "of": "metadata.price", "aggregate": "min", "window": "this_week"},
    {"name": "models", "of": "metadata.model", "aggregate": "distinct", "window": "session"},
    {"name": "models_ever", "of": "metadata.model", "aggregate": "distinct", "window": "lifetime"},
    {"name": "first_model", "of": "metadata.model", "aggregate": "first", "window": "session"},
    {"name": "last_model", "of": "metadata.model", "aggregate": "last", "window": "24h"},
    {"name": "seen_at", "by": "metadata.category", "aggregate": "last_at", "window": "lifetime"},
    {"name": "since", "aggregate": "first_at", "window": "90d"},
]


def eshop_stream(file):
    """The recording has days and the order within a session; a time of day is made of the session's number."""
    events = []
    with gzip.open(file, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            day = datetime.datetime(int(row["year"]), int(row["month"]), int(row["day"])) - EPOCH
            session = int(row["session_id"])
            minutes = session * 7919 % 1_200
            at = day // datetime.timedelta(milliseconds=1) + minutes * MINUTE + int(row["order"]) * 20 * SECOND
            events.append(
                {
                    "id": f"{len(events) + 1:032x}",
                    "type": "page_view",
                    "at": at,
                    "received": at,
                    "member": f"m{session % 60}",
                    "session": f"s{session}",
                    "metadata": {
                        "category": row["page1_main_category"],
                        "model": row["page2_clothing_model"],
                        "price": int(row["price"]),
                    },
                }
            )
    events.sort(key=lambda event: event["at"])
    signals = [{**signal, "on": "page_view"} for signal in ESHOP_SIGNALS]
    draw = random.Random(2008)
    questions = []
    for place in range(1, 7):
        at = events[len(events) * place // 6 - 1]["received"]
        recent = {event["member"]: event for event in events if at - 2 * HOUR < event["at"] <= at}
        for event in recent.values():
            keys = {"metadata.category": event["metadata"]["category"], "metadata.model": event["metadata"]["model"]}
            for signal in signals:
                members = [event["member"]] if draw.randrange(3) else [event["member"], f"m{draw.randrange(60)}"]
                key = keys.get(signal.get("by"), "")
                questions.append((signal["name"], key, at, event["session"], sorted(set(members))))
    answer(signals, events, questions, [[0, 0]])


def main():
    match sys.argv[1:]:
        case ["random", seed, count]:
            random_stream(int(seed), int(count))
        case ["eshop2008", file]:
            eshop_stream(file)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
