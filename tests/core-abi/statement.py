"""Statements of what is current, written as docs/wire-format.md points to."""

from core import count, text_bytes


def statement(seed=None, share=0):
    """A statement of what is current with revision 1 and, by a seed, 2 for a share; its signature is zeros."""
    candidate = b"\0" if seed is None else b"\1" + count(2) + b"\2" * 32 + count(share) + text_bytes(seed)
    place, times, key = text_bytes("shop") + text_bytes("production"), b"\0\0", text_bytes("key")
    return b"ATNC\1" + place + count(1) + b"\1" * 32 + candidate + times + key + bytes(64)
