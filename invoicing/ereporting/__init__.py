"""E-reporting (CGI art. 290): what no e-invoice tells the administration, as its own file."""

from invoicing.ereporting.report import Category, DaySales, Header, report_faults, report_xml

__all__ = ["Category", "DaySales", "Header", "report_faults", "report_xml"]
