"""When something happens on AWS: once, or again and again, on the clock of a time zone.

Sources: Application Auto Scaling User Guide, "Schedule recurring scaling actions using cron expressions"; Amazon
EventBridge User Guide, "Cron expressions reference"; Application Auto Scaling API Reference, PutScheduledAction.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator

from documents.faults import wrong


@dataclass(frozen=True)
class _Field:
    """One of the six fields of a cron expression: its numbers, words for them, and what else it takes."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    others: str = ""

    def chosen(self, text: str) -> frozenset[int]:
        """The numbers that it means; none for what only a calendar knows, such as the last day of a month."""
        if re.fullmatch(self.others, text, re.IGNORECASE):
            return frozenset()
        return frozenset(number for part in text.split(",") for number in self._of_part(part))

    def _of_part(self, part: str) -> list[int]:
        span, stepped, step = part.partition("/")
        first, ranged, last = span.partition("-")
        begin = self.low if first == "*" else self._number(first)
        end = self._number(last) if ranged else self.high if stepped or first == "*" else begin
        every = [*range(self.low, self.high + 1)]
        # From Friday to Monday it goes round.
        within = every[begin - self.low :] + every if end < begin else every[begin - self.low :]
        return within[: (end - begin) % len(every) + 1 : int(step or 1)]

    def _number(self, text: str) -> int:
        return int(text) if _is_number(text) else self.words.index(text.upper()) + self.low

    def takes(self, text: str) -> bool:
        """Whether the field may say this."""
        return bool(re.fullmatch(self.others, text, re.IGNORECASE)) or all(map(self._takes_part, text.split(",")))

    def _takes_part(self, part: str) -> bool:
        span, stepped, step = part.partition("/")
        if stepped and not (_is_number(step) and 1 <= int(step) <= self.high):
            return False
        ends = span.split("-")
        return span == "*" or (len(ends) <= 2 and all(map(self._takes_value, ends)))

    def _takes_value(self, text: str) -> bool:
        return text.upper() in self.words or (_is_number(text) and self.low <= int(text) <= self.high)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,4}", text))


_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, others=r"\?|L|(?:[1-9]|[12][0-9]|3[01])W|LW"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _DAYS, others=rf"\?|L|(?:[1-7]|{'|'.join(_DAYS)})(?:L|#[1-5])"),
    _Field("year", 1970, 2199),
)
_DAY_OF_MONTH: Final = 2
_DAY_OF_WEEK: Final = 4

_EXAMPLE: Final = "cron(0 8 ? * MON-FRI *)"


def expression(value: str) -> str:
    """The expression itself, if AWS would take it; a validator's error otherwise."""
    if cron := re.fullmatch(r"cron\((.*)\)", value):
        _check_cron(cron[1].split())
    elif moment := re.fullmatch(r"at\(([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\)", value):
        _check_moment(moment[1])
    else:
        raise wrong("is no schedule", f"write it as {_EXAMPLE}, or once as at(2027-01-31T08:00:00)")
    return value


def times_a_month(value: str) -> float | None:
    """How often it happens in a month on average, in the years that it names; None for once. What only a calendar
    knows, such as the last weekday of a month, is once in each month that is chosen."""
    cron = re.fullmatch(r"cron\((.*)\)", value)
    if cron is None:
        return None
    minutes, hours, days, months, weekdays, _ = (
        field.chosen(text) for field, text in zip(_FIELDS, cron[1].split(), strict=True)
    )
    chosen = [day for day in _A_YEAR if day.month in months and (day.day in days or _weekday(day) in weekdays)]
    return len(minutes) * len(hours) * (len(chosen) if days or weekdays else len(months)) / len(_MONTHS)


_A_YEAR: Final = tuple(date(2023, 1, 1) + timedelta(day) for day in range(365))


def _weekday(day: date) -> int:
    """As AWS counts, from 1 for Sunday."""
    return day.isoweekday() % len(_DAYS) + 1


def _check_cron(fields: list[str]) -> None:
    if len(fields) != len(_FIELDS):
        named = ", ".join(field.name for field in _FIELDS)
        raise wrong(f"has {len(fields)} fields, and AWS's cron has six", f"give {named}, for example {_EXAMPLE}")
    for field, text in zip(_FIELDS, fields, strict=True):
        if not field.takes(text):
            raise wrong(
                f"has {text!r} as {field.name}",
                f"use {field.low} to {field.high}, ranges, lists or *, as in {_EXAMPLE}",
            )
    if (fields[_DAY_OF_MONTH] == "?") is (fields[_DAY_OF_WEEK] == "?"):
        raise wrong("does not have one ? among its days", f"give one kind of day and ? for the other, as in {_EXAMPLE}")


def _check_moment(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise wrong("is no moment of any calendar", "for example at(2027-01-31T08:00:00)") from None


def _time_zone(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+){0,2}", value):
        raise wrong("is not the name of a time zone", "use a name of the IANA database, for example Europe/Berlin")
    return value


Expression = Annotated[str, AfterValidator(expression)]
"""`cron(minutes hours day-of-month month day-of-week year)`, or `at(yyyy-mm-ddThh:mm:ss)` for once."""

TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""A name of the IANA database. Only its form is judged: which names there are, AWS knows."""
