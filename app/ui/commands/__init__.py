"""What each action does: intentions sent to the session or to the main window.

Every public method of `Commands` is the slot of one or more rows of `app.ui.actions.ACTIONS`. One module
holds one menu.
"""

from app.ui.commands.file import FileCommands
from app.ui.commands.hanging import HangingCommands
from app.ui.commands.image import ImageCommands
from app.ui.commands.marks import MarksCommands
from app.ui.commands.overlays import OverlaysCommands
from app.ui.commands.report import ReportCommands
from app.ui.commands.research import ResearchCommands
from app.ui.commands.second_look import SecondLookCommands
from app.ui.commands.study import StudyCommands
from app.ui.commands.tools import ToolsCommands
from app.ui.commands.window import WindowCommands


class Commands(
    FileCommands,
    StudyCommands,
    HangingCommands,
    ImageCommands,
    ToolsCommands,
    MarksCommands,
    OverlaysCommands,
    SecondLookCommands,
    ReportCommands,
    ResearchCommands,
    WindowCommands,
):
    """The slots of the action table for one main window."""
