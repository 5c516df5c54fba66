"""`core.wasm` in wasmtime without glue: bytes in, bytes or numbers out, as docs/core-abi.md says."""

import json
import math
import os
import pathlib
import struct

import wasmtime

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = pathlib.Path(os.environ.get("CORE_WASM", ROOT / "sdk-wasm/dist/core.wasm"))

ENGINE = wasmtime.Engine()
MODULE = wasmtime.Module.from_file(ENGINE, str(FILE))


class CoreError(Exception):
    """What the core refused, by its code."""

    def __init__(self, error):
        super().__init__(f"{error['error']}: {error['message']}")
        self.code = error["error"]


class Core:
    """One instance. Exports are attributes; `text` and `answer` carry bytes."""

    def __init__(self):
        self.store = wasmtime.Store(ENGINE)
        # The empty list is the point: the module imports nothing.
        instance = wasmtime.Instance(self.store, MODULE, [])
        self.exports = instance.exports(self.store)
        self.memory = self.exports["memory"]

    def call(self, export, *arguments):
        """Calls an export; addresses and handles come back unsigned."""
        result = self.exports[export](self.store, *(_signed(argument) for argument in arguments))
        return result & 0xFFFFFFFF if isinstance(result, int) and export not in SIGNED else result

    def put(self, data):
        """Copies bytes or a text into a buffer and returns its address; 0 for no bytes."""
        data = data.encode() if isinstance(data, str) else bytes(data)
        if not data:
            return 0
        address = self.call("buffer_new", len(data))
        if address == 0:
            raise CoreError({"error": "too_large", "message": f"{len(data)} bytes are too many for one call"})
        self.memory.write(self.store, data, address)
        return address

    def scratch(self, data):
        """Copies bytes into the scratch and returns how many there are."""
        data = data.encode() if isinstance(data, str) else bytes(data)
        self.memory.write(self.store, data, self.call("scratch", len(data)))
        return len(data)

    def take(self, address):
        """Reads an answer's bytes and frees it; none where there is no answer."""
        if address == 0:
            return b""
        length = self.call("buffer_length", address)
        data = bytes(self.memory.read(self.store, address, address + length))
        self.call("buffer_free", address)
        return data

    def answer(self, address):
        """An answer in JSON; raises the error that it is."""
        answer = json.loads(self.take(address))
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise CoreError(answer)
        return answer

    def opened(self, number):
        """A handle as it was given, or the error that was given instead of it or of a count."""
        if number in (0, -1):
            raise CoreError(json.loads(self.take(self.call("last_error"))))
        return number

    def conditions_hold(self, cases):
        """Whether each `[attributes, condition, groups]` holds; None for a case that cannot be read."""
        answers = self.take(self.call("conditions_hold", self.put(json.dumps(cases))))
        return [{0: False, 1: True}.get(byte) for byte in answers]

    def conditions_judge(self, cases):
        """How each condition stands to its document: `holds` and `wake_at`, or `error` and `at`."""
        return self.answer(self.call("conditions_judge", self.put(json.dumps(cases))))


SIGNED = {
    "processor_publish",
    "processor_rollout",
    "visitor_identify",
    "visitor_set",
    "visitor_path",
    "visitor_change",
    "visitor_change_number",
    "visitor_time",
    "visitor_session",
    "visitor_consent",
}
"""Exports that answer with -1 where they refuse."""


class Visitor:
    """One visitor of an evaluator, its decisions kept up to date by what changes."""

    def __init__(self, core, handle, member):
        self.core, self.handle = core, handle
        self._number()
        self.current = {}
        core.call("visitor_name", handle, core.put(member))

    def set(self, attributes):
        """Replaces all attributes, in packed form, and returns the decisions by slot."""
        return self._changed(self.core.call("visitor_set", self.handle, self.core.scratch(pack(attributes))))

    def at(self, ms):
        """Moves the clock, and returns the decisions by slot."""
        return self._changed(self.core.call("visitor_time", self.handle, float(ms)))

    def in_session(self, session):
        """Says which session it is, and returns the decisions by slot."""
        return self._changed(self.core.call("visitor_session", self.handle, self.core.scratch(session)))

    def grant(self, purposes):
        """Says by bits which purposes the visitor agrees to, and returns the decisions by slot."""
        return self._changed(self.core.call("visitor_consent", self.handle, purposes))

    def exposures(self):
        """The variations that are to be tracked."""
        return self.core.answer(self.core.call("visitor_exposures", self.handle))

    def wake_at(self):
        """When time alone can next change a decision, in milliseconds since 1970; None where it never does."""
        at = self.core.call("visitor_wake", self.handle)
        return None if math.isnan(at) else int(at)

    def renewed(self):
        """Follows another bundle: slots have other numbers now, and some are gone."""
        core, before = self.core, self.current
        self._number()
        self.current = {slot: before.get(slot) for slot in self.slots}
        return self._changed(core.call("visitor_changed", self.handle))

    def absorb(self, events):
        """Takes events in and returns what the core answers."""
        core = self.core
        answer = core.answer(core.call("evaluator_absorb", self.handle, core.put(json.dumps(events))))
        self._changed(core.call("visitor_changed", self.handle))
        return answer

    def _number(self):
        """Asks for the slots and the ids of the rules, each in order of number."""
        names = self.core.answer(self.core.call("evaluator_names", self.handle))
        self.slots, self.rules = names["slots"], self.core.answer(self.core.call("evaluator_rules", self.handle))
        if len(self.rules) != len(names["fixed"]):
            raise AssertionError(f"{len(self.rules)} ids, {len(names['fixed'])} rules")

    def _changed(self, count):
        core = self.core
        if count < 0:
            core.opened(count)
        if count == 0:
            return self.current
        address = core.call("visitor_changes", self.handle)
        pairs = struct.unpack(f"<{2 * count}I", core.memory.read(core.store, address, address + 8 * count))
        for slot, rule in zip(pairs[::2], pairs[1::2]):
            decision = core.answer(core.call("visitor_decision", self.handle, slot))
            # The pair and the decision in full are two answers to one question.
            if (self.rules[rule - 1] if rule else None) != (decision and decision["rule"]):
                raise AssertionError(f"{self.slots[slot]}: rule {rule} is told, {decision} is in effect")
            self.current[self.slots[slot]] = decision
        return self.current


def pack(value):
    """A JSON value in packed form."""
    if value is None:
        return b"\0"
    if isinstance(value, bool):
        return b"\2" if value else b"\1"
    if isinstance(value, (int, float)):
        return b"\3" + struct.pack("<d", value)
    if isinstance(value, str):
        return b"\4" + text_bytes(value)
    if isinstance(value, list):
        return b"\5" + count(len(value)) + b"".join(map(pack, value))
    fields = (text_bytes(name) + pack(field) for name, field in value.items())
    return b"\6" + count(len(value)) + b"".join(fields)


def text_bytes(text):
    """A text behind its length in bytes."""
    data = text.encode()
    return count(len(data)) + data


def count(number):
    """An unsigned LEB128 number."""
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes(data) + bytes([number])


def _signed(argument):
    if isinstance(argument, int) and argument > 0x7FFFFFFF:
        return argument - (1 << 32)
    return argument
