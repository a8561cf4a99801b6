"""In which time zone the sources' cron lines are meant: ``timezone:`` in onefold.yml."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onefold.errors import ConfigError
from onefold.settings import Settings

DEFAULT = "UTC"


def time_zone(settings: Settings) -> str:
    """The IANA name of the zone; UTC if the home names none.

    Raises:
        ConfigError: there is no such zone.
    """
    name = settings.sections.get("timezone") or DEFAULT
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            "onefold.yml, timezone",
            "there is no such time zone",
            found=str(name),
            do="Write its IANA name, such as Asia/Shanghai.",
        ) from error
    return str(name)
