"""The same with the libraries for Python: `python send.py segment|rudder <url> <write key> <visits>`."""

import sys

name, host, write_key, visits = sys.argv[1:]
failed = []


def on_error(error, items):
    failed.append(error)


if name == "segment":
    from segment.analytics.client import Client

    client = Client(write_key, host=host, on_error=on_error, gzip=True)
else:
    from rudderstack.analytics.client import Client

    client = Client(write_key, host=host, on_error=on_error)

user = "user_1"
client.identify(user, {"plan": "gold", "address": {"city": "Oslo"}})
client.page(user, name="Home", properties={"path": "/"})
client.group(user, "acme", {"size": 7})
client.alias("old_1", user)
client.track(user, "Order Completed", {"total": 9.5})
for visit in range(int(visits)):
    client.track(anonymous_id="browser_1", event="Visited", properties={"visit": visit})
client.flush()
client.join()
sys.exit(f"not delivered: {failed}" if failed else 0)
