"""The repository's numbered vectors, and bundles made of them by the `attune` binary."""

import datetime
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from core import ROOT

CONDITIONS = [
    "01-comparison", "02-coercion", "03-lists", "04-kinds", "05-versions", "06-texts",
    "07-numbers", "08-patterns", "09-names", "10-networks", "11-places", "12-keys",
]
"""The files of condition vectors."""


def spec(name):
    """The vectors of a file in tests/spec."""
    return json.loads((ROOT / "tests/spec" / f"{name}.json").read_text(encoding="utf-8"))


def conditions():
    """All condition vectors, each with its file and number as its title."""
    return [(f"{file} {vector['number']}: {vector['name']}", vector) for file in CONDITIONS for vector in spec(file)]


def judged_cases(files):
    """The condition vectors of files as cases of `conditions_judge`, each with its title and itself."""
    cases = []
    for file in files:
        for vector in spec(file):
            case = {part: vector[part] for part in ("condition", "document", "segments", "groups") if part in vector}
            cases.append((f"{file} {vector['number']}: {vector['name']}", case, vector))
    return cases


def expected_of(vector):
    """What `conditions_judge` must answer to a vector, but for the text of a message."""
    if "error" in vector:
        return {"error": vector["error"]["code"], "at": f"/condition{vector['error']['at']}"}
    wake_at = vector.get("wake_at")
    return {"holds": vector["holds"], "wake_at": wake_at and ms(wake_at)}


def found_of(answer):
    """An answer of `conditions_judge` in the same form."""
    if "error" in answer:
        return {"error": answer["error"], "at": answer["at"]}
    return answer | {"wake_at": answer["wake_at"] and ms(answer["wake_at"])}


def ms(text):
    """An instant in milliseconds since 1970."""
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(at.timestamp() * 1_000)


def why_no_plain_case(vector):
    """Why a condition vector cannot be asked of plain attributes; None where it can."""
    if "holds" not in vector:
        return "what a compiler refuses"
    if "segments" in vector:
        return "names segments"
    if "signals" in vector["document"]:
        return "reads signals"
    if "now" in vector["document"]:
        return "reads the time"
    text = json.dumps(vector["condition"])
    return "compares paths" if '"$path"' in text else None


def needs_binary(test):
    """Skips a test, with the reason, where no `attune` binary is given to compile bundles with."""
    return unittest.skipUnless(os.environ.get("ATTUNE_BINARY"), "ATTUNE_BINARY names no binary to compile bundles with")(test)


def compiled(rules, revision=None, with_errors=False):
    """The bundle of a rule file; of a revision other than 1 it is signed with a key that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        source, bundle = pathlib.Path(folder, "rules"), pathlib.Path(folder, "bundle")
        source.mkdir()
        (source / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
        attune("compile", source, "--output", bundle, *(["--keep-going"] if with_errors else []))
        if revision:
            key = pathlib.Path(folder, "key")
            attune("keygen", "--output", key)
            attune("sign", bundle, "--key", key, "--output", bundle, "--revision", revision)
        return bundle.read_bytes()


def attune(*words):
    """Runs `attune bundle` with words."""
    command = [os.environ["ATTUNE_BINARY"], "bundle", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
