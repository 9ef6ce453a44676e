"""What an order does, from its number alone: the ground truth that telemetry is compared with. Imports nothing."""

from typing import Final

NORMAL_SECONDS: Final = 0.15
SLOW_SECONDS: Final = 0.6


def is_slow(order_id: int) -> bool:
    """Whether the order takes `SLOW_SECONDS` rather than `NORMAL_SECONDS`."""
    return order_id % 10 == 7


def is_error(order_id: int) -> bool:
    """Whether a leaf answers 500, and so its caller 502."""
    return order_id % 10 == 3


def duration_seconds(order_id: int) -> float:
    """How long a leaf takes, failing or not."""
    return SLOW_SECONDS if is_slow(order_id) else NORMAL_SECONDS
