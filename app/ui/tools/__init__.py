"""The mouse tools: each has a ``NAME`` and the slots ``press``, ``drag``, ``release`` of a viewport."""

from app.ui.tools.magnifier import MagnifierTool
from app.ui.tools.pan import PanTool
from app.ui.tools.window import WindowTool
from app.ui.tools.zoom import ZoomTool

TOOLS = (WindowTool, PanTool, ZoomTool, MagnifierTool)
