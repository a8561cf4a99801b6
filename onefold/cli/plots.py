"""Plots as files: drawn by matplotlib without a display, the same bytes for the same figures."""

from pathlib import Path

from dedupe.calibration import Calibration
from onefold.errors import ConfigError

ENDINGS = (".svg", ".png", ".pdf")


def check(path: Path) -> None:
    """Whether a plot can be written to a file of this name.

    Raises:
        ConfigError: the file's ending is not one of :data:`ENDINGS`.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(
            str(path), "a plot cannot be written so", do=f"End it in {', '.join(ENDINGS)}."
        )


def calibration(measured: Calibration, path: Path) -> None:
    """Draw predicted against observed, and how many pairs are in each bin.

    Raises:
        ConfigError: the file's ending is not one of :data:`ENDINGS`.
    """
    check(path)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    bins = [one for one in measured.bins if one.observed is not None]
    x = [one.predicted for one in bins]
    y = [one.observed or 0.0 for one in bins]
    below = [max(seen - one.lower, 0.0) for seen, one in zip(y, bins, strict=True)]
    above = [max(one.upper - seen, 0.0) for seen, one in zip(y, bins, strict=True)]
    with mpl.rc_context({"svg.hashsalt": "onefold", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(6.0, 6.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
        upper.fill_between([0, 1], [-0.05, 0.95], [0.05, 1.05], color="#dfe8e3", linewidth=0)
        upper.plot([0, 1], [0, 1], color="#7a8a83", linewidth=1, linestyle="--")
        upper.errorbar(
            x, y, yerr=[below, above], marker="o", color="#0b6e4f", linewidth=1.6, capsize=3
        )
        upper.set(
            xlim=(0, 1), ylim=(0, 1.02), ylabel="share that is one customer in truth", aspect="auto"
        )
        upper.set_title(
            f"Calibration of {measured.pairs:,} scored pairs\n"
            f"mean error {measured.expected_error:.3f}, largest gap {measured.largest_gap:.3f},"
            f" beyond chance {measured.largest_beyond_chance:.3f} (band: ± .05)",
            fontsize=11,
        )
        width = 1 / len(measured.bins)
        lower.bar(
            [one.low + width / 2 for one in measured.bins],
            [one.pairs for one in measured.bins],
            width=width * 0.9,
            color="#8fb9a8",
        )
        lower.set_yscale("symlog", linthresh=1)
        lower.set(xlabel="predicted probability", ylabel="pairs")
        for axes in (upper, lower):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(visible=True, color="#edf1ef")
            axes.set_axisbelow(True)
        form = path.suffix.lower().lstrip(".")
        stamp = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format=form, dpi=150, metadata=stamp)
