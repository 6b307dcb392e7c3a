#!/usr/bin/env python3
"""Makes the man pages of the library out of its headers, and vmsnap(5) out of docs/format.md.

    manual.py VERSION FORMAT.md FOLDER HEADER...

FOLDER/man3 gets libvmsnap.3 from vmsnap.h, vmsnap_capture.3 from capture.h, and for each function a page that is a
link to that of its header; FOLDER/man5 gets vmsnap.5.  What is written in them is written there and nowhere else.
"""

import datetime
import os
import re
import shutil
import sys
import textwrap

WIDTH = 72  # of code
SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
NAME = r"\b(?:vmsnap_\w+)"


def today():
    """Of the change that is built, if that is said, as it is to be the same whenever that is."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.datetime.now(datetime.timezone.utc)
    if epoch:
        moment = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d")


def literal(text):
    return "".join(SPECIAL.get(c, c) for c in text)


def line(text):
    """One that does not begin like a request."""
    return "\\&" + text if text[:1] in ".'" else text


def filled(text):
    """Words of a paragraph, with the names of functions in bold."""
    text = re.sub(r"\s+", " ", text.strip())
    parts = re.split(rf"({NAME})(?=\(\))", text)
    return line("".join(rf"\fB{literal(part)}\fP" if i % 2 else literal(part) for i, part in enumerate(parts)))


def joined(rows):
    """Each comment, and each list of arguments, in the line where it begins."""
    out = []
    for row in rows:
        if out and "/*" not in out[-1] and out[-1].count("(") > out[-1].count(")"):
            out[-1] += " " + row.strip()
        elif out and out[-1].count("/*") > out[-1].count("*/"):
            out[-1] += " " + re.sub(r"^\s*(\* ?(?!/))?", "", row)
        else:
            out.append(row)
    return out


def broken(row):
    """A declaration over several lines, at its commas."""
    inner = row.find("(") + 1 or len(row) - len(row.lstrip()) + 4
    out = []
    if len(row) > WIDTH and inner + max(map(len, row[inner:].split(", "))) > WIDTH - 2:
        out, row, inner = [row[:inner]], " " * 8 + row[inner:], 8
    while len(row) > WIDTH and (at := row.rfind(", ", inner + 1, WIDTH)) > 0:
        out.append(row[:at + 1])
        row = " " * inner + row[at + 2:]
    return [*out, row]


def narrow(rows):
    """Code for terminals of usual width: what stands behind it and is too long goes above it."""
    for row in joined(row.replace("\t", "    ") for row in rows):
        match = re.fullmatch(r"(\s*)(.*?)\s*/\* (.*) \*/", row)
        if len(row) > WIDTH and match:
            lines = textwrap.wrap(re.sub(r"\s+", " ", match[3]), WIDTH - len(match[1]) - 6)
            yield from (match[1] + ("   " if i else "/* ") + text + (" */" if i == len(lines) - 1 else "")
                        for i, text in enumerate(lines))
            row = match[1] + match[2]
        if row.strip() or not match:
            yield from broken(row)


def example(rows):
    return [".nf", *(line(literal(row.rstrip().replace("\t", "    "))) or "\\&" for row in rows), ".fi"]


def heading(version, name, section, what):
    return [f".TH {name} {section} {today()} \"vmsnap {version}\" \"{what}\""]


# ---- headers ----------------------------------------------------------------------------------


class Header:
    """A header as comments and declarations: .items are ("section", title), ("text", lines), ("code", lines)."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            rows = file.read().split("\n")
        self.file = os.path.basename(path)
        self.includes = [match[1] for row in rows if (match := re.match(r"#include <vmsnap/(\w+)\.h>", row))]
        self.items = list(self._items(self._body(rows)))
        self.functions = [name for kind, content in self.items if kind == "code" for name in self._declared(content)]
        what, self.more = self._head(self.items.pop(0)[1])
        self.what = what

    @staticmethod
    def _body(rows):
        """Without the preprocessor's lines that are no interface."""
        private = re.compile(r"#(include|ifndef|ifdef|endif|define \w+_(API_)?H$)|extern \"C\" \{$")
        depth = [i for i, row in enumerate(rows) if row == "#ifdef __cplusplus"]
        closing = {i + 1 for i in depth if rows[i + 1] == "}"}
        return [row for i, row in enumerate(rows) if not private.match(row) and i not in closing]

    @staticmethod
    def _items(rows):
        rows = iter(rows)
        code, inline = [], False
        for row in rows:
            if inline:  # the body is not the interface
                inline = row != "}"
            elif row.startswith("/*"):
                if code:
                    yield "code", code
                    code = []
                comment = [row]
                while "*/" not in comment[-1]:
                    comment.append(next(rows))
                title = re.fullmatch(r"/\* -+ (.*?) -+ \*/", row)
                yield ("section", title[1]) if title else ("text", Header._plain(comment))
            elif row == "{" and code:
                code[-1] += ";"
                inline = True
            elif row or (code and sum(r.count("{") - r.count("}") for r in code)):
                code.append(row)
            elif code:
                yield "code", code
                code = []
        if code:
            yield "code", code

    @staticmethod
    def _plain(comment):
        text = "\n".join(comment).removeprefix("/*").removesuffix("*/")
        return [re.sub(r"^ ?\*? ?", "", row).rstrip() for row in text.split("\n")]

    @staticmethod
    def _head(rows):
        """"capture.h - what it is.  More of it": what it is, and the rest; an end of all but one says where else
        to look."""
        text = "\n".join(rows)
        text = re.sub(r"\s*Included by vmsnap\.h, which tells what holds for all of it\.", "", text)
        match = re.fullmatch(r"\w+\.h - (.*?)\.(?:\s+(.*))?", text.strip(), re.S)
        return re.sub(r"\s+", " ", match[1]), (match[2] or "").split("\n")

    @staticmethod
    def _declared(code):
        text = "\n".join(row for row in code if not row.startswith("#"))
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        text = re.sub(r"\{[^{}]*\}", "", re.sub(r"\{[^{}]*\}", "", text))
        return [match[1] for statement in text.split(";")
                if not re.match(r"\s*typedef", statement)
                and (match := re.match(rf"\s*[\w \t\n*]*?({NAME})\(", statement))]


def prose(rows):
    """Paragraphs and lists of a comment."""
    out, paragraph = [], []

    def flush():
        if paragraph:
            out.extend([filled(" ".join(paragraph))])
            paragraph.clear()

    for row in rows:
        item = re.match(r"\s+- (.*)", row)
        if item:
            flush()
            out.append(r".IP \(bu 2")
            paragraph.append(item[1])
        elif not row.strip():
            flush()
            out.append(".PP")
        elif paragraph and out and out[-1].startswith(".IP") and not row.startswith("  "):
            flush()
            out.append(".PP")
            paragraph.append(row)
        else:
            paragraph.append(row.strip())
    flush()
    while out and out[-1] == ".PP":
        out.pop()
    return [row for i, row in enumerate(out) if not (row == ".PP" and (i == 0 or out[i - 1] == ".PP"))]


def paragraphs(items):
    """A declaration, and below it, indented, the comment that stood above it."""
    out, comment, fresh = [], None, True

    def told(rows):
        return [".RS 4", *rows, ".RE"] if rows else []

    for kind, content in items:
        if comment and kind != "code":
            out += [] if fresh else [".PP"]
            out += prose(comment)
            comment, fresh = None, False
        if kind == "section":
            out.append(f".SS {filled(content[0].upper() + content[1:])}")
            fresh = True
        elif kind == "text":
            comment = content
        else:
            out += ([] if fresh else [".PP"]) + example(narrow(content)) + told(prose(comment) if comment else [])
            comment, fresh = None, False
    if comment:
        out += [".PP", *prose(comment)]
    return out


def reference(name, section, last=False):
    return f".BR {name} ({section})" + ("" if last else ",")


def header_page(version, header, page, others):
    out = heading(version, page, 3, "Library functions")
    out += [".SH NAME", f"{page} \\- {literal(header.what)}"]
    out += [".SH SYNOPSIS", ".nf", ".B #include <vmsnap.h>", "", "cc \\fIprogram.c\\fP "
            r"$(pkg\-config \-\-cflags \-\-libs vmsnap)", ".fi", ".SH DESCRIPTION"]
    more = prose(header.more) if any(header.more) else []
    if page == "libvmsnap":
        out += more
    else:
        out += ["What holds for all of the library, errors and sizes of structs for example, is told in",
                reference("libvmsnap", 3, True) + ".", *([".PP", *more] if more else [])]
        if header.items and header.items[0][0] != "section":
            out.append(".SS Functions and types")
        out += paragraphs(header.items)
    out.append(".SH SEE ALSO")
    return out + [reference(other, 3) for other in others] + [reference("vmsnap", 1) , reference("vmsnap", 5, True)]


# ---- Markdown -----------------------------------------------------------------------------------


def inline(text):
    """`code` and **words** in bold, *names* in italics, links by their text."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    out = ""
    for part in re.split(r"(`[^`]+`|\*\*.+?\*\*|\*[^*\s](?:[^*]*[^*\s])?\*)", text):
        if part.startswith("`") and part.endswith("`") and len(part) > 2:
            out += rf"\fB{literal(part[1:-1])}\fP"
        elif part.startswith("**") and len(part) > 4:
            out += rf"\fB{literal(part[2:-2])}\fP"
        elif part.startswith("*") and part.endswith("*") and len(part) > 2:
            out += rf"\fI{literal(part[1:-1])}\fP"
        else:
            out += literal(part)
    return out


def table(rows):
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip()[1:-1])] for row in rows]
    del cells[1]  # the line below the headings
    columns = range(len(cells[0]))
    wide = [any(len(row[i]) > 12 for row in cells[1:]) for i in columns]
    out = [".TS", "allbox;", " ".join("lb" for i in columns), " ".join("lx" if wide[i] else "l" for i in columns) + "."]
    for row in cells:
        texts = [line(inline(cell.replace("\\|", "|"))) for cell in row]
        out += "\t".join(f"T{{\n.ad l\n.nh\n{text}\nT}}" if wide[i] and text else text or "\\&"
                         for i, text in enumerate(texts)).split("\n")
    return [*out, ".TE"]


def markdown(text):
    """What docs/format.md is made of: headings, paragraphs, lists, tables, blocks."""
    out, kind, block = [], None, []

    def flush():
        nonlocal kind, block
        if kind == "text":
            out.extend([".PP", line(inline(" ".join(block)))])
        elif kind == "item":
            out.extend([r".IP \(bu 2", line(inline(" ".join(block)))])
        elif kind == "table":
            out.extend([".PP", *table(block)])
        kind, block = None, []

    rows = iter(text.split("\n"))
    for row in rows:
        title = re.match(r"(#+) (.*)", row)
        if row.startswith("```"):
            flush()
            block = []
            for inner in rows:
                if inner.startswith("```"):
                    break
                block.append(inner)
            out.extend([".PP", ".RS 4", *example(block), ".RE"])
            block = []
        elif title:
            flush()
            out.append(f".{'SH' if len(title[1]) == 2 else 'SS'} {inline(title[2])}")
        elif not row.strip():
            flush()
        elif row.startswith("|"):
            if kind != "table":
                flush()
            kind = "table"
            block.append(row)
        elif re.match(r"\s*(-|\d+\.) ", row):
            flush()
            kind, block = "item", [re.sub(r"^\s*(-|\d+\.) ", "", row)]
        else:
            kind = kind or "text"
            block.append(row.strip())
    flush()
    # A paragraph needs no break right below its heading.
    return [row for i, row in enumerate(out) if not (row == ".PP" and i and out[i - 1].startswith((".SH", ".SS")))]


def format_page(version, text):
    title, _, rest = text.partition("\n")
    first = rest.index("\n## ")
    return ["'\\\" t", *heading(version, "vmsnap", 5, "File formats"),
            ".SH NAME", f"vmsnap \\- snapshots of processes in a file: {literal(title.removeprefix('# '))}",
            ".SH DESCRIPTION", *markdown(rest[:first])[1:], *markdown(rest[first:]),
            ".SH SEE ALSO", reference("vmsnap", 1), reference("vmsnap\\-check", 1), reference("vmsnap_file", 3, True)]


# ---- all of it ------------------------------------------------------------------------------------


def write(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")


def page_of(header):
    return "libvmsnap" if header.file == "vmsnap.h" else "vmsnap_" + header.file.removesuffix(".h")


def main(version, form, folder, *paths):
    headers = [Header(path) for path in paths]
    pages = {page_of(header): header for header in headers}
    for section in ("man3", "man5"):
        shutil.rmtree(os.path.join(folder, section), ignore_errors=True)
        os.makedirs(os.path.join(folder, section))
    for page, header in pages.items():
        others = (["libvmsnap"] if page != "libvmsnap" else []) + ["vmsnap_" + name for name in header.includes]
        write(os.path.join(folder, "man3", page + ".3"), header_page(version, header, page, others))
        for function in header.functions:
            if function not in pages:
                write(os.path.join(folder, "man3", function + ".3"), [f".so man3/{page}.3"])
    with open(form, encoding="utf-8") as file:
        write(os.path.join(folder, "man5", "vmsnap.5"), format_page(version, file.read()))


if __name__ == "__main__":
    main(*sys.argv[1:])
