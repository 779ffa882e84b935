"""The report of an evaluation as one HTML file that needs nothing but itself: `write_page(report, path)`."""

from eval.report_page.page import write_page

__all__ = ["write_page"]
