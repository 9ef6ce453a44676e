"""An append-only file on disk whose size has a bound: real disk work for each order."""

import os
import threading
from pathlib import Path
from typing import Final

LIMIT_BYTES: Final = 1024 * 1024


class Journal:
    """Safe for the threads of one process."""

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()

    def append(self, entry: str) -> None:
        """Returns when the entry is on the disk. Starts over when the file would outgrow its limit."""
        line = f"{entry}\n".encode()
        with self._lock, self._path.open("ab") as file:
            if file.tell() + len(line) > self._limit_bytes:
                file.truncate(0)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
