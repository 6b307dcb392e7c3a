"""Pictures of a page of `vmsnap report`, with a headless Chromium: PAGE FOLDER."""

import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "reader"))

import chromium  # noqa: E402  (it lies in the folder just added)

SIZE_MAX = 200_000
PICTURES = {"report-map": ("light", "#v=map&m=diff"), "report-forks": ("dark", "#v=forks&m=cow")}


def main(page, folder):
    if not chromium.browser():
        sys.exit("needs Chromium")
    browser = chromium.Chromium()
    try:
        browser.resize(1200, 820)
        browser.call("Emulation.setScrollbarsHidden", hidden=True)
        for name, (theme, fragment) in PICTURES.items():
            assert browser.open(page, fragment) == "1"
            browser.evaluate(f"vmsnapPage.theme('{theme}'), vmsnapPage.map.mini.forget(), vmsnapPage.redraw(), vmsnapPage.map.drawNow()")
            browser.evaluate("new Promise(done => setTimeout(done, 300))")
            data = base64.b64decode(browser.call("Page.captureScreenshot", format="png")["data"])
            if len(data) > SIZE_MAX:
                sys.exit(f"{name}.png has {len(data)} bytes: too many for README")
            with open(os.path.join(folder, f"{name}.png"), "wb") as file:
                file.write(data)
            print(f"{name}.png: {len(data)} bytes")
    finally:
        browser.close()


main(*sys.argv[1:])
