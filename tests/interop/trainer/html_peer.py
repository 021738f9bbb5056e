"""Reads a page with Python's HTML parser and prints what is wrong with it: tags that do not match, ids that are there
twice, references to ids that are not there, anything that would be fetched, pictures that are no XML."""
import collections
import html.parser
import re
import sys
import xml.etree.ElementTree

VOID = {"meta", "img", "br", "link", "input", "hr", "source"}
SELF_CLOSED_IN_SVG = {"path", "rect", "circle", "use", "polygon", "line"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.wanted, self.wrong = [], collections.Counter(), set(), []

    def attributes(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids[value] += 1
            elif name == "aria-labelledby":
                self.wanted.update(value.split())
            elif name in ("href", "src", "xlink:href", "action", "data", "poster", "srcset"):
                if value.startswith("#"):
                    self.wanted.add(value[1:])
                elif not value.startswith("data:"):
                    self.wrong.append(f"<{tag}> refers to {value}")
            elif name.startswith("on") or name == "style":
                self.wrong.append(f"<{tag}> has {name}, which the page's own policy forbids")
        if tag == "img" and not dict(attributes).get("alt"):
            self.wrong.append("an image without alternative text")

    def handle_starttag(self, tag, attributes):
        self.attributes(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.wrong.append("a script")

    def handle_startendtag(self, tag, attributes):
        self.attributes(tag, attributes)
        if tag not in VOID | SELF_CLOSED_IN_SVG:
            self.wrong.append(f"<{tag}/> does not close itself in HTML")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing at line {self.getpos()[0]}")


page = Page()
with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
page.feed(text)
page.close()
for picture in re.findall("<svg.*?</svg>", text, re.DOTALL):  # none is in another
    try:
        xml.etree.ElementTree.fromstring(picture)
    except xml.etree.ElementTree.ParseError as error:
        page.wrong.append(f"a picture is no XML: {error}")
page.wrong += [f"<{tag}> is never closed" for tag in page.open]
page.wrong += [f"the id {name} is there {count} times" for name, count in page.ids.items() if count > 1]
page.wrong += [f"the id {name} is referred to and not there" for name in page.wanted - set(page.ids)]
print("\n".join(page.wrong), end="")
sys.exit(1 if page.wrong else 0)
