"""The dialog that asks what is audited: images, one or two models, prediction files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from app.core.imaging.image import Study
from app.ui.audit.wording import counted, sentence
from app.ui.dialog import Dialog
from app.ui.drop_down import DropDown

if TYPE_CHECKING:
    from app.ui.audit.window import AuditWindow

WIDTH: Final = 720
NONE: Final = "none"
ASKED: Final = (
    "Without images, those of the prediction file are meant. What a model has not looked at "
    "yet waits until you ask for it; answers stay on this machine."
)


class OpenDialog(Dialog):
    """Asks; `chosen` (paths, models, prediction files, studies) when it is enough to begin.

    What may be chosen can change while it is open: `offer_models`, `offer_studies`.
    """

    chosen = Signal(object, object, object, object)

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__("Audit predictions", parent)
        self.setMinimumWidth(WIDTH)
        self._studies: tuple[Study, ...] = ()
        self._selected = False
        self._typed = ""
        self.images, self.predictions = QLineEdit(), QLineEdit()
        self.predictions.setPlaceholderText("One or two files of mammoview predict, parted by ;")
        self.first, self.second = DropDown(), DropDown()
        self.manifest, self.folder = QPushButton("Manifest…"), QPushButton("Folder…")
        self.studies, self.files = QPushButton(), QPushButton("Files…")
        self.studies.setCheckable(True)
        self.studies.setProperty("role", "line")  # shows that it is down
        self.manifest.clicked.connect(self._ask_manifest)
        self.folder.clicked.connect(self._ask_folder)
        self.files.clicked.connect(self._ask_predictions)
        self.studies.toggled.connect(self._take_studies)
        form = QGridLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(8)
        form.setColumnStretch(1, 1)
        self._add(form, "Images", self.images, self.manifest, self.folder, self.studies)
        self._add(form, "Model", self.first)
        self._add(form, "Second model", self.second)
        self._add(form, "Predictions", self.predictions, self.files)
        self.body.addLayout(form)
        self.said = QLabel(ASKED)
        self.said.setProperty("role", "quiet")
        self.said.setWordWrap(True)
        self.body.addWidget(self.said)
        self.add_button("Cancel", self.close)
        self.open_button = self.add_button("Open", self._open, default=True)
        self.offer_models(())
        self.offer_studies((), False)

    @staticmethod
    def _add(form: QGridLayout, text: str, editor: QWidget, *buttons: QPushButton) -> None:
        row = form.rowCount()
        name = QLabel(text)
        name.setProperty("role", "quiet")
        name.setBuddy(editor)
        editor.setAccessibleName(text)
        form.addWidget(name, row, 0)
        form.addWidget(editor, row, 1, 1, 4 - len(buttons))
        for number, button in enumerate(buttons):
            button.setAutoDefault(False)
            form.addWidget(button, row, 5 - len(buttons) + number)

    # What may be chosen

    def offer_models(self, names: Sequence[str]) -> None:
        """Offer the models that are installed; what was chosen stays where it is among them."""
        for box in (self.first, self.second):
            chosen = box.currentData()
            box.clear()
            box.addItem(NONE, "")
            for name in names:
                box.addItem(name, name)
            box.setCurrentIndex(max(0, box.findData(chosen)))

    def offer_studies(self, studies: Sequence[Study], selected: bool) -> None:
        """Offer studies that are open in the reading window: those selected in its list, or all listed."""
        self._studies, self._selected = tuple(studies), selected
        count = len(self._studies)
        self.studies.setText(counted(count, "study", "studies") if count else "Open studies")
        self.studies.setEnabled(bool(count))
        reason = "" if count else "No study is open in the reading window."
        self.studies.setToolTip(f"Of the reading window: {self._words()}." if count else reason)
        self.studies.setAccessibleDescription(reason)
        more = "A manifest (.csv), a folder, open studies" if count else "A manifest (.csv) or a folder"
        self.images.setPlaceholderText(more)
        if not count:
            self.studies.setChecked(False)
        elif self.studies.isChecked():
            self.images.setText(self._words())

    def name_images(self, path: str) -> None:
        """Name a manifest or a folder, in place of studies."""
        self.studies.setChecked(False)
        self.images.setText(path)

    def _words(self) -> str:
        count = counted(len(self._studies), "study", "studies")
        images = counted(sum(len(study.images) for study in self._studies), "image", "images")
        return f"{count} {'selected' if self._selected else 'listed'}, {images}"

    def _take_studies(self, taken: bool) -> None:
        if taken:
            self._typed = self.images.text()
        self.images.setReadOnly(taken)
        self.images.setText(self._words() if taken else self._typed)

    # Asking

    def _ask_manifest(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Manifest", "", "Manifest (*.csv)")
        if name:
            self.name_images(name)

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder of images")
        if name:
            self.name_images(name)

    def _ask_predictions(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Prediction files", "", "Predictions (*.json)")
        if names:
            self.predictions.setText("; ".join(names))

    def _open(self) -> None:
        studies = self._studies if self.studies.isChecked() else ()
        images = "" if studies else self.images.text().strip()
        files = [Path(part.strip()) for part in self.predictions.text().split(";") if part.strip()]
        models = [box.currentData() for box in (self.first, self.second) if box.currentData()]
        if not images and not files and not studies:
            self.say("Choose a manifest, a folder, open studies or a prediction file.")
        elif not models and not files:
            self.say("Choose a model, or a prediction file.")
        else:
            self.chosen.emit([Path(images)] if images else [], list(dict.fromkeys(models)), files, studies)
            self.close()

    def say(self, text: str) -> None:
        """Say what is missing."""
        self.said.setProperty("role", "warning")
        self.said.setText(sentence(text))
        self.said.style().unpolish(self.said)
        self.said.style().polish(self.said)


def ask(window: AuditWindow) -> OpenDialog:
    """Ask a window what to audit; models and studies that are found meanwhile are offered at once.

    The reading window is the window's parent: it knows the models and lists the studies.
    """
    main = window.parent()
    panel = getattr(main, "panels", {}).get("StudiesPanel")
    dialog = OpenDialog(window)
    offer = _Offer(dialog, main, panel)
    offer.models()
    offer.studies()
    if hasattr(main, "models_changed"):
        main.models_changed.connect(offer.models)
    if panel is not None:
        panel.choice_changed.connect(offer.studies)
    dialog.chosen.connect(window.open)
    dialog.open()
    return dialog


class _Offer(QObject):
    """Tells a dialog what may be chosen, as long as it lives: its slots go with it."""

    def __init__(self, dialog: OpenDialog, main: QObject, panel: QObject | None) -> None:
        super().__init__(dialog)
        self._dialog, self._main, self._panel = dialog, main, panel

    @Slot()
    def models(self) -> None:
        self._dialog.offer_models([model.name for model in getattr(self._main, "models", ())])

    @Slot()
    def studies(self) -> None:
        if self._panel is not None:
            self._dialog.offer_studies(*self._panel.choice)
