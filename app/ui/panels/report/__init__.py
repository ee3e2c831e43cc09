"""The report: density, assessments, findings, words; all by keyboard."""

from app.ui.panels.report.panel import ReportPanel

__all__ = ["ReportPanel"]
