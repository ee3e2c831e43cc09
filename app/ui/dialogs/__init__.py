"""The dialogs by name; each takes (main window, ...) and shares the theme."""

from app.ui.dialogs.about import AboutDialog
from app.ui.dialogs.assign import AssignDialog
from app.ui.dialogs.calibrate import CalibrateDialog
from app.ui.dialogs.error import ErrorDialog
from app.ui.dialogs.keys import KeysDialog
from app.ui.dialogs.settings import SettingsDialog

DIALOGS = {
    dialog.NAME: dialog
    for dialog in (AboutDialog, AssignDialog, CalibrateDialog, ErrorDialog, KeysDialog, SettingsDialog)
}
