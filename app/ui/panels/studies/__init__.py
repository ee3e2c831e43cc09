"""The study list: patients, their studies, thumbnails, what was read."""

from app.ui.panels.studies.panel import StudiesPanel

__all__ = ["StudiesPanel"]
