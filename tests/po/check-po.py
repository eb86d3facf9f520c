#!/usr/bin/env python3
"""Checks the translations against the sources as they are now. Prints TAP.

Usage: check-po.py SOURCE

Fails where a string is missing, untranslated or fuzzy, and where a placeholder, an option, markup, a mnemonic or the end of a
sentence differs, and where a language's quotation marks or punctuation are not its own. “ninja -C build facet-update-po” brings new
strings into the files. Also where two mnemonics that are seen together are the same key, in any language and in English.
"""
import ast
import pathlib
import re
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

SOURCE = pathlib.Path(sys.argv[1])
KEYWORDS = ["_", "N_", "C_:1c,2", "NC_:1c,2", "ngettext:1,2", "g_dngettext:2,3", "g_dpgettext2:2c,3"]
FORMATS = ["g_strdup_printf:1", "g_string_printf:2", "g_string_append_printf:2", "g_print:1", "g_set_error:4", "printf:1", "fprintf:2"]
FIELD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$')
PRINTF = re.compile(r"%(?:(\d+)\$)?([-+ #0]*\d*(?:\.\d+)?(?:l|ll|h|z)?[diouxXeEfgGcs%])")
# What must stand in a translation as it stands in the original.
LITERAL = re.compile(r"\{[a-z]+\}|</?[a-z]+>|\$[A-Z_]+|(?<![\w-])--[a-z][a-z-]*|(?<![\w-])-[a-z](?![\w-])|https?://\S+", re.ASCII)
# The quotation marks of each language, and what its sentences hold nowhere else than by mistake.
QUOTES = {"ar": "«»", "de": "»«", "es": "«»", "fr": "«»", "it": "«»", "ja": "「」", "pt_BR": "“”", "zh_CN": "“”"}
FOREIGN = {
    "ar": re.compile(r"[\u0620-\u064a][,;?](?![^\[]*\])|اً|\d %"),
    "fr": re.compile(r"\w [;!?:»]|« "),
    "ja": re.compile(r"[\u3040-\u9fff][,;!](?![^\[]*\])|[（）？！〜]|[\w。] 「|」 [^(]|\d %"),
    "pt_BR": re.compile(r"\d %"),
    "zh_CN": re.compile(r"[\u4e00-\u9fff][,;:?!](?![^\[]*\])|\((?!_)|\d %"),
}
# Mnemonics of the window itself, by what is seen together. Menus and dialogs are found in the sources.
PAGES = [
    ("_Models", "Get a _Better Model", "Try a Sample _Chart", "Try a Sample _Voice Note", "_Undo"),
    ("_Models", "_Choose a Model", "_Undo"),
    ("_Models", "_Save", "_Cancel", "_Undo"),
]
# Alone in their window, popover or file chooser, beside the buttons of the toolkit.
ALONE = {"_Try Again", "_Ask Again", "_Attach", "_Add", "_Export", "_Import"}
MNEMONIC = re.compile(r"_(\w)")


def run(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def template():
    return run("xgettext", "--from-code=UTF-8", *(f"--keyword={word}" for word in KEYWORDS),
               *(f"--flag={flag}:c-format" for flag in FORMATS), "--add-comments=Translators", f"--directory={SOURCE}",
               f"--files-from={SOURCE / 'po/POTFILES.in'}", "--output=-")


def entries(text):
    """The entries of a .po file as {field: text}, with its flags under “flags”."""
    entry, field = {"flags": ""}, None
    for line in [*text.splitlines(), ""]:
        found = FIELD.match(line)
        if not line:
            if entry.get("msgid"):
                yield entry
            entry, field = {"flags": ""}, None
        elif line.startswith("#"):
            entry["flags"] += line if line.startswith("#,") else ""
        elif found:
            field = found[1]
            entry[field] = ast.literal_eval(found[2])
        else:
            entry[field] += ast.literal_eval(line)


def placeholders(text):
    """Conversions in the order of the arguments."""
    found = PRINTF.findall(text)
    numbered = [(int(position) if position else index, kind) for index, (position, kind) in enumerate(found, 1) if kind != "%"]
    return [kind for _, kind in sorted(numbered)]


def ending(text):
    return "\n" if text.endswith("\n") else "…" if re.sub(r"\(_.\)", "", text).endswith("…") else ""


def faults(entry, original, translated):
    optional = "msgid_plural" in entry and len(placeholders(original)) == 1
    if placeholders(translated) != placeholders(original) and not (optional and not placeholders(translated)):
        yield f"placeholders {placeholders(translated)} instead of {placeholders(original)}"
    if sorted(set(LITERAL.findall(translated))) != sorted(set(LITERAL.findall(original))):
        yield f"{sorted(set(LITERAL.findall(translated)))} instead of {sorted(set(LITERAL.findall(original)))}"
    if ending(translated) != ending(original):
        yield f"it ends in {ending(translated)!r} instead of {ending(original)!r}"
    if (original == original.strip(" ") and translated != translated.strip(" ")) or original.count("\n") != translated.count("\n"):
        yield "blanks at the ends or the number of lines differ"
    if original.startswith("[("):
        values = ast.literal_eval(translated)
        if [len(value) for value in values] != [len(value) for value in ast.literal_eval(original)]:
            yield "it is no list of the same shape"


def style_faults(name, original, translated):
    """Lists (of search terms, of presets) are data in form of text."""
    if original.startswith("[(") or original.endswith(";"):
        return
    expected = original.translate(str.maketrans("“”", QUOTES[name]))
    if re.findall("[“”„«»‹›「」]", translated) != re.findall("[“”„«»‹›「」]", expected):
        yield f"other quotation marks than {QUOTES[name]}, or not as many"
    found = FOREIGN[name].search(translated) if name in FOREIGN else None
    if found:
        yield f"“{found[0]}” is no punctuation of this language"


def check_language(name, pot):
    path = SOURCE / f"po/{name}.po"
    checked = subprocess.run(["msgfmt", "--check", "--check-accelerators=_", "--output-file=/dev/null", path], capture_output=True,
                             text=True)
    if checked.returncode or checked.stderr:
        yield checked.stderr.strip()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".pot") as file:
        file.write(pot)
        file.flush()
        merged = run("msgmerge", "--quiet", "--no-fuzzy-matching", "--output-file=-", path, file.name)
    for entry in entries(merged):
        short = entry["msgid"][:60]
        forms = [entry[key] for key in entry if key.startswith("msgstr")]
        if not all(forms):
            yield f"untranslated: {short}"
        elif "fuzzy" in entry["flags"]:
            yield f"fuzzy: {short}"
        else:
            for form in forms:
                original = entry.get("msgid_plural", entry["msgid"])
                for fault in (*faults(entry, original, form), *style_faults(name, original, form)):
                    yield f"{short}: {fault}"


def menus():
    """The marked labels of each menu of ui/, and of each dialog of src/."""
    for path in sorted(SOURCE.glob("ui/*.ui")):
        for menu in ElementTree.parse(path).iter("menu"):
            yield f"{path.name}, {menu.get('id')}", [label.text for label in menu.iter("attribute")
                                                     if label.get("name") == "label" and "_" in label.text]
    for path in sorted(SOURCE.glob("src/**/*.c")):
        for function in path.read_text(encoding="utf-8").split("\n}\n"):
            if "adw_message_dialog_add_response" in function:
                yield f"{path.name}", re.findall(r'[ (]_\("([^"]*_\w[^"]*)"\)', function)


def check_mnemonics(languages, pot):
    groups = [*menus(), *((" and ".join(page), page) for page in PAGES)]
    placed = {label for _, labels in groups for label in labels} | ALONE
    marked = {entry["msgid"] for entry in entries(pot) if re.fullmatch(r"[^_\n]*(?<![A-Z]{2})_[A-Za-z][^_\n]*", entry["msgid"])}
    for label in sorted(marked ^ placed):
        yield f"“{label}” is {'in no group of this test' if label in marked else 'no longer there'}"
    for name in ["en", *languages]:
        translated = {} if name == "en" else {entry["msgid"]: entry.get("msgstr", "") for entry in
                                              entries((SOURCE / f"po/{name}.po").read_text(encoding="utf-8"))}
        for where, labels in groups:
            keys = [MNEMONIC.findall(translated.get(label, label))[-1].lower() for label in labels]
            for key in sorted({key for key in keys if keys.count(key) > 1}):
                yield f"{name}: {key.upper()} twice in {where}: {[translated.get(label, label) for label in labels]}"


def report(number, name, complaints):
    print(f"{'not ok' if complaints else 'ok'} {number} /po/{name}")
    for complaint in complaints:
        print("\n".join(f"# {line}" for line in complaint.splitlines()))


def main():
    lines = (SOURCE / "po/LINGUAS").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    pot = template()
    assert len(list(entries(pot))) > 400, "too few strings were found"
    print(f"1..{len(names) + 2}")
    here = sorted(path.stem for path in SOURCE.glob("po/*.po"))
    report(1, "linguas", [] if here == sorted(names) else [f"there are {here}"])
    report(2, "mnemonics", list(check_mnemonics(names, pot)))
    for number, name in enumerate(names, 3):
        report(number, name, list(check_language(name, pot)))


main()
