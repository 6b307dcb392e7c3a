"""Golden captures of tests/terminal as pictures, with a headless Chromium: FOLDER [NAME...], of names that begin so.

Cells are drawn one by one, so that block elements meet as they do in a terminal."""

import base64
import json
import os
import sys
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests", "reader"), os.path.join(ROOT, "tests", "terminal")]

import chromium  # noqa: E402  (it lies in a folder just added)
import pane  # noqa: E402

GOLDEN = os.path.join(ROOT, "tests", "terminal", "golden")
WIDTH, HEIGHT, EDGE = 9, 19, 12
# Colours of terminals as they come: text, paper, the 16.
DARK = ("#d6dbe2", "#0e1116", """#20242b #e05a5a #4fb86a #d7b83f #4a86e8 #b96ad9 #3bb3b3 #c8ccd2
        #6b7280 #ff7b7b #7be39a #ffe36b #7fb0ff #df9bff #74e0e0 #ffffff""".split())
LIGHT = ("#1b1f24", "#fbfbfa", """#000000 #c01c28 #26a269 #a2734c #12488b #a347ba #2aa1b3 #cfcfcf
         #5d5d5d #f66151 #33d17a #b58900 #2a7bde #c061cb #33c7de #ffffff""".split())

DRAW = """
(({ width, height, text, paper, cells, columns, rows, edge }) => {
	const canvas = document.body.appendChild(document.createElement('canvas'));
	canvas.width = columns * width + 2 * edge; canvas.height = rows * height + 2 * edge;
	const pen = canvas.getContext('2d');
	pen.fillStyle = paper; pen.fillRect(0, 0, canvas.width, canvas.height);
	for (const [x, y, wide, letter, front, back, bold, dim] of cells) {
		const left = edge + x * width, top = edge + y * height, w = wide * width;
		if (back) { pen.fillStyle = back; pen.fillRect(left, top, w, height); }
		pen.fillStyle = front; pen.globalAlpha = dim ? 0.55 : 1;
		const eighths = ' ▁▂▃▄▅▆▇█'.indexOf(letter);
		if (eighths > 0) { const h = Math.round(height * eighths / 8); pen.fillRect(left, top + height - h, w, h); }
		else if (letter === '▀') pen.fillRect(left, top, w, Math.round(height / 2));
		else { pen.font = (bold ? '700 ' : '') + '14.4px "JetBrains Mono", "DejaVu Sans Mono", monospace'; pen.fillText(letter, left, top + 14.5); }
		pen.globalAlpha = 1;
	}
	return canvas.toDataURL('image/png').split(',')[1];
})(%s)
"""


def color_of(words, sixteen):
    """As CSS; words: as SGR writes it."""
    numbers = [int(word) for word in words.split(";")] if words else []
    if not numbers:
        return None
    if len(numbers) == 5:
        return "#%02x%02x%02x" % tuple(numbers[2:])
    if len(numbers) == 1:
        number = numbers[0]
        return sixteen[number % 10 + (8 if number >= 90 else 0)]
    number = numbers[2]
    if number < 16:
        return sixteen[number]
    if number >= 232:
        return "#%02x%02x%02x" % ((8 + (number - 232) * 10,) * 3)
    levels = (0, 95, 135, 175, 215, 255)
    number -= 16
    return "#%02x%02x%02x" % (levels[number // 36], levels[number // 6 % 6], levels[number % 6])


def columns_of(letter):
    return 0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def cells_of(lines, scheme):
    text, _, sixteen = scheme
    for y, line in enumerate(lines):
        x = 0
        for (attributes, front, back), piece in pane.runs(line)[0]:
            for letter in piece:
                wide = columns_of(letter)
                yield (x, y, wide, letter, color_of(front, sixteen) or text, color_of(back, sixteen), "bold" in attributes,
                       "dim" in attributes)
                x += wide


def picture(browser, path, scheme):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    cells = list(cells_of(lines, scheme))
    width = 80 if "-80-" in path else 160
    given = {"width": WIDTH, "height": HEIGHT, "edge": EDGE, "text": scheme[0], "paper": scheme[1], "cells": cells,
             "columns": max([width] + [x + wide for x, _, wide, *_ in cells]), "rows": len(lines)}
    return base64.b64decode(browser.evaluate(DRAW % json.dumps(given)))


def main(folder, *names):
    if not chromium.browser():
        sys.exit("needs Chromium")
    os.makedirs(folder, exist_ok=True)
    browser = chromium.Chromium()
    try:
        for name in sorted(os.listdir(GOLDEN)):
            if names and not name.startswith(names):
                continue
            target = os.path.join(folder, name.replace(".ansi", ".png"))
            with open(target, "wb") as file:
                file.write(picture(browser, os.path.join(GOLDEN, name), LIGHT if "-light" in name else DARK))
            print(target)
    finally:
        browser.close()


main(*sys.argv[1:])
