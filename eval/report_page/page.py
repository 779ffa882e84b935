"""The report of an evaluation as one HTML file.

The file asks nothing of the network: style and script are in it, and its content security policy admits these two, by
their digests, and nothing else. All texts of users (queries, titles, names of models and slices) are escaped and kept
apart from the direction of the text around them. Without scripts every table and picture is there; the script adds the
choice of model and metric, sorting and filtering.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from eval.report.data import FORMAT_VERSION
from eval.report_page import charts
from eval.report_page.beyond import catalogue_panel, exposure_panels
from eval.report_page.changes import change_panels
from eval.report_page.discovery import discovery_part
from eval.report_page.figures import count, number
from eval.report_page.headline import headline
from eval.report_page.overview import data_context, metric_groups
from eval.report_page.panels import choices
from eval.report_page.reading import Reading
from eval.report_page.slices import CHART_ROWS, slice_panels

__all__ = ["report_html", "write_page"]


def write_page(report: Mapping[str, Any], path: Path) -> None:
    """Write the page of a report.

    Args:
        report: as `eval.report.data.Report` describes it.
        path: of the HTML file; one that is there is replaced.

    Raises:
        ValueError: the report is of another kind or version.
    """
    path.write_text(report_html(report), encoding="utf-8", errors="replace")


def report_html(report: Mapping[str, Any]) -> str:
    """The page as text; arguments and errors of `write_page`."""
    if (report.get("kind"), report.get("format_version")) != ("report", FORMAT_VERSION):
        raise ValueError(
            f"report: expected kind 'report' and format_version {FORMAT_VERSION}, got {report.get('kind')!r} and"
            f" {report.get('format_version')!r}; write it anew with this version of ranker"
        )
    reading = Reading(report)
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=count, number=number)
    style, script = _template("style.css"), _template("script.js")
    return environment.get_template("page.html").render(
        report=report,
        reading=reading,
        headline=headline(reading),
        groups=metric_groups(reading),
        choice=choices(reading),
        slices=slice_panels(reading),
        chart_rows=CHART_ROWS,
        discovery=discovery_part(reading),
        changes=change_panels(reading),
        catalogue=catalogue_panel(reading),
        exposures=exposure_panels(reading),
        data=data_context(reading),
        calibration={
            model: charts.calibration(bins) for model, bins in (report.get("calibration") or {}).items() if bins
        },
        contract=_contract(report["contract"]),
        notes=report.get("notes") or [],
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        policy=_policy(style, script),
    )


def _template(name: str) -> str:
    return resources.files("eval.report_page").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    return (
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'".format(
            *digests
        )
    )


def _contract(contract: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Names of all choices, and by metric the choice of each; None where it does not apply."""
    names = list(dict.fromkeys(name for choices_of in contract.values() for name in choices_of))
    return {"names": names, "rows": [(metric, [own.get(name) for name in names]) for metric, own in contract.items()]}
