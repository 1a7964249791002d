#!/usr/bin/env python3
"""keys.py CHROMIUM PAGE.html -- the page of `show --html` in a headless Chromium, by real keys, in light and in dark.

Keys are pressed through the DevTools protocol, on its pipe (descriptors 3 and 4, messages that end in a zero byte), so the browser does with
them what it does with a keyboard's: Tab moves, Enter follows a link, the focus ring is drawn.  Prints what does not hold and exits 1.
"""
import json, os, pathlib, select, shutil, subprocess, sys, tempfile, time

KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


class Browser:
    def __init__(self, program, page):
        self.profile = tempfile.mkdtemp()
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()
        def descriptors():                              # the browser's 3 and 4; first out of each other's way
            a, b = os.dup(to_read), os.dup(to_write)
            os.dup2(a, 3), os.dup2(b, 4)
        self.child = subprocess.Popen([program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--window-size=1400,1000",
                                       f"--user-data-dir={self.profile}", "about:blank"], close_fds=False, preexec_fn=descriptors,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read), os.close(to_write)
        self.kept, self.number, self.session = b"", 0, None
        target = self.call("Target.createTarget", url=page.as_uri())["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.until("location.protocol === 'file:' && document.body && document.readyState === 'complete'")

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params} | ({"sessionId": self.session} if self.session else {})
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + 300
        while True:
            while b"\0" not in self.kept:
                if not select.select([self.back], [], [], max(0, end - time.monotonic()))[0]:
                    sys.exit(f"keys: no answer to {method}")
                part = os.read(self.back, 1 << 20)
                if not part:
                    sys.exit("keys: the browser ended")
                self.kept += part
            one, _, self.kept = self.kept.partition(b"\0")
            answer = json.loads(one)
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"keys: {method}: {answer['error']}")
                return answer["result"]

    def ask(self, expression):
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            sys.exit(f"keys: {expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def until(self, expression):
        end = time.monotonic() + 300
        while not (value := self.ask(expression)) and time.monotonic() < end:
            time.sleep(0.02)
        return value

    def press(self, key, shift=False):
        facts = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": KEYS[key], "modifiers": 8 * shift}
        if key in ("Enter", " "):
            facts["text"] = "\r" if key == "Enter" else " "
        self.call("Input.dispatchKeyEvent", type="keyDown", **facts)
        self.call("Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in facts.items() if k != "text"})

    def close(self):
        self.child.kill()
        self.child.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


def main():
    program, page = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    faults = []

    def note(what, good):
        if not good:
            faults.append(what)

    b = Browser(program, page)
    here = "document.activeElement"
    is_node = f"{here}.classList.contains('node')"
    box = f"{here}.getAttribute('href')"
    try:
        # Tab comes to the graph, which is one stop, and Shift+Tab leaves it again
        for _ in range(30):
            b.press("Tab")
            if b.ask(is_node):
                break
        note("Tab does not come to the graph", b.ask(is_node))
        ring = f"(function(){{var s=getComputedStyle({here}),r=getComputedStyle({here}.querySelector('.box'));return s.outlineStyle+' '+r.outlineStyle+' '+r.strokeWidth;}})()"
        focused, first = b.ask(ring), b.ask(box)
        b.press("Tab")
        note("a second Tab stays within the boxes", not b.ask(is_node))
        b.press("Tab", shift=True)
        note("Shift+Tab does not come back to the box", b.ask(box) == first)
        unfocused = b.ask(ring.replace(here, "document.querySelectorAll('.node')[1]"))
        note(f"a box with the focus looks as one without: {focused}", focused != unfocused)

        # arrows come to every box
        seen, at = set(), [first]
        while at:
            one = at.pop()
            if one in seen:
                continue
            seen.add(one)
            for arrow in ("ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"):
                b.ask(f"document.querySelector('.node[href=\"{one}\"]').focus()")
                b.press(arrow)
                at.append(b.ask(box))
        boxes = b.ask("Array.from(document.querySelectorAll('.node'), n => n.getAttribute('href'))")
        b.press("Home")
        note("Home is not the first box", b.ask(box) == boxes[0])
        b.press("End")
        note("End is not the last box", b.ask(box) == boxes[-1])
        missing = [x for x in boxes if x not in seen]
        note(f"no arrow comes to {missing}", not missing)

        # Enter and Space open what stands in the box, Escape closes it and comes back; in both schemes the words can be seen
        looks = {}
        for scheme in ("light", "dark"):
            b.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            for i, one in enumerate(boxes):
                b.ask(f"document.querySelector('.node[href=\"{one}\"]').focus()")
                b.press("Enter" if i % 2 == 0 else " ")
                opened = b.until(f"(function(){{var o=document.querySelector('article:target');return o&&o.id==={one[1:]!r}&&getComputedStyle(o).display==='block'&&{here}===o;}})()")
                note(f"{scheme}: {one} does not open by key, with the focus in it", opened)
                note(f"{scheme}: {one} lacks its YAML, marked, beside its C",
                     b.ask("document.querySelectorAll('article:target pre').length === 3 && !!document.querySelector('article:target pre .on')"))
                note(f"{scheme}: {one} is not said to be the one that is open", b.until(f"(function(){{var n=document.querySelector('.node[href=\"{one}\"]');return n.getAttribute('aria-label')&&n.getAttribute('aria-current')==='true';}})()"))
                b.press("Escape")
                note(f"{scheme}: Escape does not close {one} and come back", b.until(f"!document.querySelector('article:target')&&{box}==={one!r}"))
            looks[scheme] = b.ask("[getComputedStyle(document.body).backgroundColor,getComputedStyle(document.body).color]")

        def light(color):
            r, g, blue = [int(float(v)) for v in color[color.index("(") + 1:-1].split(",")[:3]]
            return 0.299 * r + 0.587 * g + 0.114 * blue
        note(f"light is not light, or dark not dark: {looks}", light(looks["light"][0]) > 160 > light(looks["light"][1]) and light(looks["dark"][0]) < 90 < light(looks["dark"][1]))
    finally:
        b.close()
    for fault in faults:
        print(f"keys: {fault}")
    print(f"keys: {len(boxes)} boxes in two schemes" if not faults else f"keys: {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
