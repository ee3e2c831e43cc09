"""The mouse tools: each has a ``NAME`` and the slots ``press``, ``drag``, ``release`` of a viewport.

Those that draw are strokes (`app.ui.strokes`).
"""

from app.ui.tools.angle import AngleTool
from app.ui.tools.arrow import ArrowTool
from app.ui.tools.ellipse import EllipseTool
from app.ui.tools.length import LengthTool
from app.ui.tools.magnifier import MagnifierTool
from app.ui.tools.nipple import NippleTool
from app.ui.tools.pan import PanTool
from app.ui.tools.polygon import PolygonTool
from app.ui.tools.rectangle import RectangleTool
from app.ui.tools.text import TextTool
from app.ui.tools.window import WindowTool
from app.ui.tools.zoom import ZoomTool

TOOLS = (
    WindowTool,
    PanTool,
    ZoomTool,
    MagnifierTool,
    LengthTool,
    AngleTool,
    RectangleTool,
    EllipseTool,
    PolygonTool,
    ArrowTool,
    TextTool,
    NippleTool,
)
