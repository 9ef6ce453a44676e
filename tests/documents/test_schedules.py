"""Schedules: those that AWS documents, and those that it would refuse during a deployment."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from documents.faults import faults_of
from documents.model import Model
from documents.schedules import Expression, TimeZone, times_a_month

EXAMPLE = "cron(0 8 ? * MON-FRI *)"


class When(Model):
    """A model with both."""

    at: Expression = EXAMPLE
    zone: TimeZone = "UTC"


def fault(**values: str) -> str:
    """The one fault of a value."""
    with pytest.raises(ValidationError) as caught:
        When.model_validate(values)
    [found] = faults_of(caught.value, When)
    return str(found)


@pytest.mark.parametrize(
    "expression",
    [
        # Those of Application Auto Scaling's own guide.
        "cron(0 10 * * ? *)",
        "cron(15 12 * * ? *)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0 8 1 * ? *)",
        "cron(0/15 * * * ? *)",
        "cron(0/10 * ? * MON-FRI *)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(30 6 ? * MON *)",
        # What else EventBridge's reference knows.
        "cron(0,30 0 L JAN,JUL ? 2027-2029)",
        "cron(0 9 3W * ? *)",
        "cron(0 9 LW * ? *)",
        "cron(0 9 ? * 6L *)",
        "cron(0 9 ? * tue#2 *)",
        "at(2027-11-26T00:00:00)",
    ],
)
def test_what_aws_documents_is_taken(expression: str) -> None:
    assert When(at=expression).at == expression


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 8 * * *", f"is no schedule (got '0 8 * * *'); write it as {EXAMPLE}, or once as at(2027-01-31T08:00:00)"),
        ("rate(5 minutes)", "is no schedule"),
        ("at(2027-01-31 08:00:00)", "is no schedule"),
        ("at(2027-01-31T08:00)", "is no schedule"),
        ("at(2027-02-31T08:00:00)", "is no moment of any calendar"),
        ("cron(0 8 * * *)", "has 5 fields, and AWS's cron has six"),
        ("cron(60 8 ? * MON *)", "has '60' as minutes"),
        ("cron(0 24 ? * MON *)", "has '24' as hours"),
        ("cron(0 8 32 * ? *)", "has '32' as day of month"),
        ("cron(0 8 ? 13 MON *)", "has '13' as month"),
        ("cron(0 8 ? * 0 *)", "has '0' as day of week"),
        ("cron(0 8 ? * MON 1969)", "has '1969' as year"),
        ("cron(0/0 8 ? * MON *)", "has '0/0' as minutes"),
        ("cron(0 8 ? * MON-TUE-WED *)", "has 'MON-TUE-WED' as day of week"),
        ("cron(\u0663 8 ? * MON *)", "has '\u0663' as minutes"),
        ("cron(0 8 * * * *)", "does not have one ? among its days"),
        ("cron(0 8 ? * ? *)", "does not have one ? among its days"),
    ],
)
def test_a_schedule_that_aws_would_refuse(expression: str, message: str) -> None:
    assert fault(at=expression).startswith(f"at: {message}")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+9"])
def test_time_zones(zone: str) -> None:
    assert When(zone=zone).zone == zone


@pytest.mark.parametrize("zone", ["", "+01:00", "Europe/", "Berlin, Germany"])
def test_what_is_no_time_zone(zone: str) -> None:
    assert fault(zone=zone) == (
        f"zone: is not the name of a time zone (got {zone!r}); "
        "use a name of the IANA database, for example Europe/Berlin"
    )


@given(some.text(alphabet="0123456789*?/,-LW#MONcrat() T:", max_size=30).map(lambda inner: f"cron({inner})"))
def test_any_text_is_taken_or_refused(expression: str) -> None:
    with contextlib.suppress(ValidationError):
        assert When(at=expression).at == expression


@pytest.mark.parametrize(
    ("expression", "times_a_year"),
    [
        ("cron(30 2 * * ? *)", 365),
        ("cron(0 8 ? * MON-FRI *)", 260),
        ("cron(0/15 * * * ? *)", 4 * 24 * 365),
        ("cron(0/5 8-17 ? * MON-FRI *)", 12 * 10 * 260),
        ("cron(0,30 0 L JAN,JUL ? 2027-2029)", 4),
        ("cron(0 9 LW * ? *)", 12),
        ("cron(0 9 ? * tue#2 *)", 12),
        ("cron(0 0,12 1,15,31 * ? *)", 2 * (12 + 12 + 7)),
        ("cron(0 22-1 ? * FRI-SUN *)", 4 * (52 + 52 + 53)),
        ("cron(0 0 1-31/10 FEB ? *)", 3),
    ],
)
def test_how_often_it_happens(expression: str, times_a_year: int) -> None:
    assert times_a_month(expression) == pytest.approx(times_a_year / 12)


def test_once_is_no_number_a_month() -> None:
    assert times_a_month("at(2027-11-26T00:00:00)") is None
