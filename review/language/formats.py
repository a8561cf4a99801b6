"""Dates, numbers and spans of time as a language writes them: filters of the templates."""

from datetime import UTC, date, datetime, timedelta, tzinfo

from babel import dates, numbers

from review.language import LOCALES


class Formats:
    """What a language and a time zone make of values; every method is a filter.

    Args:
        language: zh or en.
        zone: the deployment's time zone.
    """

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.locale = LOCALES[language]
        self.zone = zone

    def moment(self, value: datetime | None) -> str:
        """Date and time, to the minute."""
        if value is None:
            return ""
        pattern = "y-MM-dd HH:mm" if self.locale.language == "zh" else "d MMM y, HH:mm"
        return dates.format_datetime(_aware(value), pattern, self.zone, self.locale)

    def day(self, value: date | None) -> str:
        """A date."""
        return "" if value is None else dates.format_date(value, "medium", self.locale)

    def ago(self, value: datetime | None) -> str:
        """How long ago, such as "3 days ago"."""
        if value is None:
            return ""
        return dates.format_timedelta(
            _aware(value) - datetime.now(UTC), add_direction=True, locale=self.locale
        )

    def days(self, count: int) -> str:
        """A number of days, in weeks or months where that is rounder."""
        return dates.format_timedelta(timedelta(days=count), threshold=1.4, locale=self.locale)

    def number(self, value: float | None, digits: int | None = None) -> str:
        """A number with the language's separators; ``digits`` after the point."""
        if value is None:
            return ""
        if digits is None:
            return numbers.format_decimal(value, locale=self.locale)
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return numbers.format_decimal(value, pattern, locale=self.locale)

    def share(self, value: float | None, digits: int = 0) -> str:
        """A fraction 0 to 1 as percent."""
        if value is None:
            return ""
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        return numbers.format_percent(value, pattern, locale=self.locale)


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value
