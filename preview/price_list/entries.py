"""A JSON document of any size, entry by entry: the price list of EC2 has some gigabytes for each region."""

import codecs
import json
from collections.abc import Iterator
from typing import IO, Any, Final

_CHUNK: Final = 1 << 20


def entries(copy: IO[bytes]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of a price list that stand at the top, below `products` and two below `terms`, with their keys: one
    after the other, of a file of any size. Raises ValueError for what is no such document."""
    copy.seek(0)
    yield from _Reader(copy).below(())


_OPENED: Final = frozenset({(), ("products",), ("terms",), ("terms", "OnDemand"), ("terms", "Reserved")})


class _Reader:
    """Reads JSON from a file in pieces."""

    def __init__(self, copy: IO[bytes]) -> None:
        self._copy = copy
        self._text = ""
        self._at = 0
        # A character of several bytes may be cut.
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def below(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        self._take("{")
        if self._next() == "}":
            self._take("}")
            return
        while True:
            inner = (*path, str(self._value()))
            self._take(":")
            if inner in _OPENED:
                yield from self.below(inner)
            else:
                yield inner, self._value()
            if self._next() == "}":
                self._take("}")
                return
            self._take(",")

    def _next(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _take(self, character: str) -> None:
        if (found := self._next()) != character:
            raise ValueError(f"{character!r} is missing, there is {found!r}")
        self._at += 1

    def _value(self) -> Any:
        self._next()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise
                continue
            # A number may go on in the next piece.
            if end < len(self._text) or not self._more():
                self._at = end
                return value

    def _more(self) -> bool:
        """Reads the next piece. It is as large as what is not yet understood: a long value is not tried often."""
        piece = self._copy.read(max(_CHUNK, len(self._text) - self._at))
        if not piece:
            return False
        self._text = self._text[self._at :] + self._decoder.decode(piece)
        self._at = 0
        return True


_DECODER: Final = json.JSONDecoder()
