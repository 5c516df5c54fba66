"""What schemathesis does not know by itself."""

import json

import schemathesis


@schemathesis.deserializer("application/x-ndjson")
def ndjson(_context, response):
    """Lines of JSON, which the schema describes as a list of what they hold."""
    return [json.loads(line) for line in response.content.decode().splitlines()]
