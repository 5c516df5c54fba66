"""What a shop's server sends with the library of Mixpanel: `python mixpanel_send.py <url> <write key> <visits>`."""

import sys

from mixpanel import BufferedConsumer, Mixpanel

url, token, visits = sys.argv[1:]
consumer = BufferedConsumer(
    max_size=50,
    events_url=f"{url}/track",
    people_url=f"{url}/engage",
    import_url=f"{url}/import",
)
client = Mixpanel(token, consumer)
client.people_set("user_1", {"plan": "gold", "address": {"city": "Oslo"}})
client.track("user_1", "Order Completed", {"total": 9.5})
client.import_data("", "user_1", "Order Completed", 1_790_000_000, {"total": 0.5}, api_secret=token)
for visit in range(int(visits)):
    client.track("$device:browser_1", "Visited", {"visit": visit})
consumer.flush()
