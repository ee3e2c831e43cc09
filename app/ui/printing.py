"""A report as PDF on white A4 paper, with Qt's own writer; knows no widget and may run on any thread.

Every page has who it is of at its top, and at its foot what it may be used for and its number. The text
comes first, a heading never alone at the end of a page; key images follow, four to a page, in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextLayout,
    QTextLine,
)

from app.core.reading.report_text import RESEARCH, Heading

DPI: Final = 300
MM: Final = DPI / 25.4
"""Dots in a millimetre."""
MARGIN: Final = 18.0
HEAD: Final = 24.0
FOOT: Final = 12.0
"""Millimetres: around the page, of what stands at its top, and at its foot."""
GAP: Final = 6.0
CAPTION: Final = 6.0
"""Millimetres between key images, and of the line below each."""
INK, GREY, RULE = QColor("#1a1a1a"), QColor("#555555"), QColor("#999999")
SHEET: Final = """
p { color: #1a1a1a; }
p.strong { font-weight: 600; }
p.signed { color: #555555; }
"""
BLOCK_MM: Final = 96 / 25.4
"""The same for margins of paragraphs, which Qt takes to the device itself."""
TEXT_PT: Final = 10.5
SMALL_PT: Final = 9.0


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """A key image and the line below it."""

    picture: QImage
    caption: str


def pdf(body: str, heading: Heading, plates: Sequence[Plate], family: str) -> bytes:
    """Return a report as the bytes of a PDF file.

    Parameters
    ----------
    body
        HTML of `app.core.reading.report_html.body`.
    family
        Font family of all text.
    """
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(DPI)
    writer.setTitle("Mammography report")
    writer.setCreator("Mammoview")
    none = QMarginsF(0, 0, 0, 0)
    writer.setPageLayout(
        QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, none)
    )
    page = QSizeF(writer.width(), writer.height())
    painter = QPainter(writer)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    _Printer(writer, painter, page, heading, family).print(body, plates)
    painter.end()
    buffer.close()
    return bytes(data.data())


class _Printer:
    """Draws page after page."""

    def __init__(
        self, writer: QPdfWriter, painter: QPainter, page: QSizeF, heading: Heading, family: str
    ) -> None:
        self._writer, self._painter = writer, painter
        self._heading, self._family = heading, family
        side = MARGIN * MM
        self._head = QRectF(side, side, page.width() - 2 * side, HEAD * MM)
        top = self._head.bottom()
        bottom = page.height() - side - FOOT * MM
        self._room = QRectF(side, top, self._head.width(), bottom - top)
        self._foot = QRectF(side, bottom, self._head.width(), FOOT * MM)

    def print(self, body: str, plates: Sequence[Plate]) -> None:
        """Print text, then key images."""
        document = self._document(body)
        texts = 1 + max(page for page, _, _ in self._lines(document))
        whole = texts + -(-len(plates) // 4)
        for number in range(texts):
            self._frame(number, whole)
            self._text(document, number)
        for first in range(0, len(plates), 4):
            self._frame(texts + first // 4, whole)
            self._plates(plates[first : first + 4])

    def _document(self, body: str) -> QTextDocument:
        document = QTextDocument()
        document.documentLayout().setPaintDevice(self._writer)
        font = QFont(self._family)
        font.setPointSizeF(TEXT_PT)
        document.setDefaultFont(font)
        document.setDocumentMargin(0)
        document.setDefaultStyleSheet(SHEET)
        document.setHtml(body)
        self._dress(document)
        document.setPageSize(self._room.size())
        self._keep_headings(document)
        return document

    def _dress(self, document: QTextDocument) -> None:
        """Set sizes and distances by hand: Qt's HTML has its own sizes for headings and knows no points."""
        block = document.begin()
        while block.isValid():
            is_heading, is_last = block.blockFormat().headingLevel() > 0, not block.next().isValid()
            cursor = QTextCursor(block)
            shape = QTextBlockFormat()
            above = 3.5 if is_heading and block.position() else 6.0 if is_last else 0.0
            shape.setTopMargin(above * BLOCK_MM)
            shape.setBottomMargin((0.5 if is_heading else 0.8) * BLOCK_MM)
            cursor.mergeBlockFormat(shape)
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
            letters = cursor.charFormat()
            letters.clearProperty(QTextFormat.Property.FontSizeAdjustment)
            letters.setFontPointSize(SMALL_PT if is_heading or is_last else TEXT_PT)
            if is_heading:
                letters.setForeground(GREY)
            cursor.setCharFormat(letters)
            block = block.next()

    def _keep_headings(self, document: QTextDocument) -> None:
        """Put a heading that its page ends with on the next one."""
        block = document.begin()
        while block.isValid():
            after = block.next()
            is_heading = block.blockFormat().headingLevel() > 0
            if is_heading and after.isValid() and self._page(document, block) != self._page(document, after):
                kept = block.blockFormat()
                kept.setPageBreakPolicy(QTextFormat.PageBreakFlag.PageBreak_AlwaysBefore)
                QTextCursor(block).setBlockFormat(kept)
            block = after

    def _page(self, document: QTextDocument, block: QTextBlock) -> int:
        """Return the page on which the first line of a block stands."""
        document.documentLayout().blockBoundingRect(block)  # lays out as far as this block
        line = block.layout().lineAt(0)
        y = block.layout().position().y() + (line.y() if line.isValid() else 0.0)
        return self._page_at(y)

    def _page_at(self, y: float) -> int:
        return int((y + 1) // self._room.height())

    def _frame(self, number: int, whole: int) -> None:
        """Begin a page: who it is of, its foot, its number."""
        if number:
            self._writer.newPage()
        painter, head, foot = self._painter, self._head, self._foot
        painter.setPen(INK)
        painter.setFont(self._font(14, strong=True))
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        painter.drawText(head, left, "Mammography report")
        painter.setFont(self._font(9))
        line = head.adjusted(0, 8 * MM, 0, 0)
        words = [f"{name}: {text}" for name, text in self._heading.rows]
        painter.drawText(line, left | int(Qt.TextFlag.TextWordWrap), "     ".join(words))
        painter.setPen(RULE)
        rule = head.bottom() - 4 * MM
        painter.drawLine(int(head.left()), int(rule), int(head.right()), int(rule))
        painter.drawLine(
            int(foot.left()), int(foot.top() + 3 * MM), int(foot.right()), int(foot.top() + 3 * MM)
        )
        painter.setPen(GREY)
        painter.setFont(self._font(8))
        low = foot.adjusted(0, 5 * MM, 0, 0)
        painter.drawText(low, left, f"{RESEARCH} Made with Mammoview.")
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        painter.drawText(low, right, f"Page {number + 1} of {whole}")

    def _text(self, document: QTextDocument, number: int) -> None:
        """Draw the lines of one page, each by itself: a clipped page would hold its neighbours' unseen."""
        painter, room = self._painter, self._room
        painter.save()
        painter.translate(room.left(), room.top() - number * room.height())
        painter.setPen(INK)
        for page, layout, line in self._lines(document):
            if page == number:
                line.draw(painter, layout.position())
        painter.restore()

    def _lines(self, document: QTextDocument) -> Iterator[tuple[int, QTextLayout, QTextLine]]:
        """Give every line with the page it stands on."""
        document.pageCount()  # lays out all of it
        block = document.begin()
        while block.isValid():
            layout = block.layout()
            for row in range(layout.lineCount()):
                line = layout.lineAt(row)
                yield self._page_at(layout.position().y() + line.y()), layout, line
            block = block.next()

    def _plates(self, plates: Sequence[Plate]) -> None:
        """Draw up to four key images, two beside each other, whole and in their own shape."""
        painter, room, gap = self._painter, self._room, GAP * MM
        width, height = (room.width() - gap) / 2, (room.height() - gap) / 2 - CAPTION * MM
        for index, plate in enumerate(plates):
            row, column = divmod(index, 2)
            x = room.left() + column * (width + gap)
            y = room.top() + row * (height + CAPTION * MM + gap)
            size = QSizeF(plate.picture.size()).scaled(width, height, Qt.AspectRatioMode.KeepAspectRatio)
            painter.drawImage(QRectF(x, y, size.width(), size.height()), plate.picture)
            painter.setPen(INK)
            painter.setFont(self._font(9))
            below = QRectF(x, y + size.height() + 1 * MM, width, CAPTION * MM)
            painter.drawText(
                below, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), plate.caption
            )

    def _font(self, points: float, *, strong: bool = False) -> QFont:
        font = QFont(self._family)
        font.setPointSizeF(points)
        font.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
        return font
