"""Runs schemathesis against the privileged listener of a collector that has taken events in.

Prints the totals as `node --test` does: a test for each operation of the document, and one for each thing that a document
is wrong about, which has to be found.
"""

import base64
import http.server
import json
import os
import pathlib
import re
import shlex
import string
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as xml

FOLDER = pathlib.Path(__file__).resolve().parent
SECRET = "secret-of-the-contract"
DEADLINE_SECONDS = 30
GUIDE = FOLDER.parents[1] / "docs" / "admin-api.md"
RULES = {
    "signals": [{"name": "views", "on": "view", "aggregate": "count", "window": "lifetime"}],
    "triggers": [
        {"id": "view", "on": "view", "actions": [{"kind": "webhook", "destination": "crm"}]},
    ],
}


def ask(url, body=None, headers=None):
    request = urllib.request.Request(url, data=body, headers=headers or {})
    with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
        return answer.read().decode()


class Gone(http.server.BaseHTTPRequestHandler):
    """A receiver that wants no call any more, so that each is dead at once."""

    def do_POST(self):
        self.send_response(410)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words):
        pass


class Collector:
    """A collector of its own, in a folder of its own."""

    def __init__(self, folder):
        self.receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gone)
        threading.Thread(target=self.receiver.serve_forever, daemon=True).start()
        webhook = {"name": "crm", "url": f"http://127.0.0.1:{self.receiver.server_port}/", "allow_private": True}
        webhook["secret"] = "whsec_" + base64.b64encode(bytes(32)).decode()
        (folder / "destinations.json").write_text(json.dumps({"webhooks": [webhook]}))
        (folder / "rules").mkdir()
        (folder / "rules" / "rules.json").write_text(json.dumps(RULES))
        command = [os.environ["ATTUNE_BINARY"], "serve", "--port", "0", "--admin-port", "0"]
        command += ["--data-dir", str(folder / "data"), "--rules", str(folder / "rules"), "--secret-key", SECRET]
        command += ["--destinations", str(folder / "destinations.json"), "--log-format", "json"]
        self.log = open(folder / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.public = self.process.stdout.readline().split()[1].rstrip("/")
        lines = pathlib.Path(self.log.name).read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines]
        self.privileged = next("http://" + line["admin_address"] for line in told if "admin_address" in line)

    def admin(self, path):
        return ask(self.privileged + path, headers={"Authorization": f"Bearer {SECRET}"})

    def fill(self):
        """Sends events that count, fire, and are refused."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        events = [
            {"event_id": f"e{number}", "event_type": "view", "timestamp": now, "metadata": {"number": number}}
            for number in range(20)
        ]
        events += [{"event_id": f"bad{number}", "event_type": "view"} for number in range(5)]
        batch = {"v": 1, "anonymous_id": "ada", "sent_at": now, "events": events}
        ask(self.public + "/v1/events?k=demo", json.dumps(batch).encode(), {"Content-Type": "text/plain"})
        self.admin("/admin/summary?settled=1")
        end = time.monotonic() + DEADLINE_SECONDS
        while len(self.admin("/admin/deliveries?state=dead").splitlines()) < 20:
            assert time.monotonic() < end, "not every call has ended"
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(DEADLINE_SECONDS)
        self.log.close()
        self.receiver.shutdown()


def operations(document):
    """Each operation with its path and method."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def prepared(collector):
    """The document with examples of what this collector has, and without fields that it does not name."""
    document = json.loads(collector.admin("/v1/openapi.json"))
    letters = json.loads(collector.admin("/admin/dead-letters"))["letters"]
    ids = {
        "profiles": "member:ada",
        "deliveries": json.loads(collector.admin("/admin/deliveries?limit=1"))["id"],
        "dead-letters": letters[0]["id"],
    }
    for path, _, operation in operations(document):
        words = path.split("/")
        if "{id}" in words:
            example = ids[words[words.index("{id}") - 1]]
            next(named for named in operation["parameters"] if named["name"] == "id")["example"] = example
    # Somebody else goes, so that there is something to ask about in the end.
    erased = document["paths"]["/v1/profiles/{id}"]["delete"]["parameters"]
    next(named for named in erased if named["name"] == "id")["example"] = "member:gone"
    for path, method, operation in list(operations(document)):
        if "text/event-stream" in operation["responses"].get("200", {}).get("content", {}):
            # A stream ends when whoever reads it goes away, and schemathesis reads answers to their end.
            print(f"{method} {path} is a stream, and not asked for")
            del document["paths"][path][method]
    for name, schema in document["components"]["schemas"].items():
        # An answer has every field of its schema and, here, no other one: else the document would not know it.
        if "properties" in schema and name != "Error":
            schema["additionalProperties"] = False
    return document


def template_of(document, path):
    """The path of the document that an address is of, one without open places first."""
    for template in sorted(document["paths"], key=lambda template: "{" in template):
        if re.fullmatch(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template)), path):
            return template
    return path


def examples(document, collector):
    """Runs the examples of the guide, of which there is one for each operation; says of each whether it has failed."""
    places = {
        "ADMIN": collector.privileged,
        "KEY": SECRET,
        "DELIVERY": json.loads(collector.admin("/admin/deliveries?state=dead").splitlines()[-1])["id"],
        "LETTER": json.loads(collector.admin("/admin/dead-letters"))["letters"][-1]["id"],
    }
    failed = {f"example of {method.upper()} {path}": True for path, method, _ in operations(document)}
    for line in GUIDE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("    curl "):
            continue
        words = shlex.split(string.Template(line).substitute(places))[1:]
        method, headers, body = "GET", {}, None
        while words[0].startswith("-"):
            option, value, *words = words
            if option == "-X":
                method = value
            elif option == "-d":
                body = value.encode()
            elif option == "-H":
                name, text = value.split(": ", 1)
                headers[name] = text
        (url,) = words
        request = urllib.request.Request(url, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        path = template_of(document, url.removeprefix(collector.privileged).split("?")[0])
        if status >= 300:
            print(f"{status}: {line}")
        failed[f"example of {method} {path}"] = status >= 300
    return failed


def check(document, collector, folder, name, options=()):
    """Says of each operation whether it has failed, and what was printed."""
    file, report = folder / f"{name}.json", folder / f"{name}.xml"
    file.write_text(json.dumps(document))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(FOLDER / "schemathesis.toml")]
    command += ["run", str(file), "--url", collector.privileged]
    command += ["--report", "junit", "--report-junit-path", str(report), *options]
    environment = os.environ | {
        "SECRET": SECRET,
        "PYTHONPATH": str(FOLDER),
        "SCHEMATHESIS_HOOKS": "hooks",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )
    if not report.exists():
        return {"schemathesis": True}, ended.stdout
    cases = xml.parse(report).iter("testcase")
    failed = {
        case.get("name"): case.find("failure") is not None or case.find("error") is not None for case in cases
    }
    # An end with a status and no failed case is a failure as well.
    if ended.returncode != 0 and not any(failed.values()):
        failed["schemathesis"] = True
    return failed, ended.stdout


def false(document):
    """A document that is wrong about three operations, which have to be found."""
    document = json.loads(json.dumps(document))
    schemas = document["components"]["schemas"]
    for schema in ["Summary", "Firing"]:
        del schemas[schema]["properties"]["firings" if schema == "Summary" else "cause"]
        schemas[schema]["required"] = []
    document["paths"]["/health/live"]["get"]["security"] = [{"secret_key": []}]
    return document, ["/admin/summary", "/admin/firings", "/health/live"]


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        collector = Collector(folder)
        try:
            collector.fill()
            document = prepared(collector)
            failed, printed = check(document, collector, folder, "document")
            print(printed)
            failed |= examples(document, collector)
            wrong, paths = false(document)
            options = ["--phases", "coverage"] + [word for path in paths for word in ["--include-path", path]]
            found, printed = check(wrong, collector, folder, "wrong", options)
            for path in paths:
                is_missed = not found.get(f"GET {path}", False)
                failed[f"control {path}"] = is_missed
                if is_missed:
                    print(f"a document that is wrong about {path} has passed:\n{printed}")
        finally:
            collector.stop()
    for case in (case for case, has_failed in failed.items() if has_failed):
        print(f"failed: {case}")
    failures = sum(failed.values())
    print(f"# pass {len(failed) - failures}\n# fail {failures}\n# skipped 0", flush=True)
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
