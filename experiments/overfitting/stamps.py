#!/usr/bin/env python3
"""The pictures and sounds of Debian's package tuxpaint-stamps-default, in the layouts of AudioCaps and VQA v2.

    stamps.py OUT [STAMPS]

STAMPS is /usr/share/tuxpaint/stamps if not given. Nothing here is drawn or recorded for this project: some 780 photographs and
drawings with an English caption each, some with a sound of their own, some with the caption read aloud (English, French,
Spanish). They are under the GPL, version 2 or later. Needs convert (imagemagick).

Stamps are divided by their names, by a digest: of six, three give the pictures of train2014, from which a base learns, two
those of val2014, and one those that retention asks about, in tables of its own (retention_*.json) beside val2014's. Of the
sounds one in five is held out. A file whose bytes, or whose drawn picture's, were there before is left out. Questions ask for the kind, by the folders in
which the stamps lie, in open form and as yes or no, half of each. A base sees each of its pictures eight times: mirrored,
turned, smaller, on other grounds.
"""
import csv
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LICENCE = {"name": "GPL-2.0-or-later", "url": "https://www.gnu.org/licenses/old-licenses/gpl-2.0.html"}
SIDE = 224
KINDS = {"animals": "animal", "clothes": "clothing", "food": "food", "hobbies": "hobby", "household": "tool",
         "medical": "medicine", "military": "weapon", "naturalforces": "weather", "people": "person", "plants": "plant",
         "seasonal": "holiday", "space": "space", "sports": "sport", "symbols": "symbol", "town": "town",
         "vehicles": "vehicle"}
# What convert does to a copy, before it is laid on its ground.
COPIES = [([], "white"), (["-flop"], "white"), (["-rotate", "8"], "white"), (["-flop", "-rotate", "-8"], "white"),
          ([], "gray80"), (["-flop"], "lightblue"), (["-rotate", "-12"], "beige"), (["-resize", "75%"], "white")]
SPEECH = {"": "", "_desc": "_en", "_desc_fr": "_fr", "_desc_es": "_es"}  # file name's ending -> clip's


def number_of(text, count):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % count


class Stamp:
    def __init__(self, picture, root):
        self.picture = picture
        self.name = "_".join(picture.relative_to(root).with_suffix("").parts)
        folders = picture.relative_to(root).parts[:-1]
        self.kind = KINDS[folders[0]]
        self.group = folders[1] if len(folders) > 1 and folders[1] != "cartoon" else None
        self.caption = picture.with_suffix(".txt").read_text(errors="replace").splitlines()[0].strip()
        self.split = ("train", "train", "train", "val", "val", "retention")[number_of("split " + self.name, 6)]

    def sounds(self):
        """(file, clip's name): its own sound, and its caption read aloud."""
        for ending, suffix in SPEECH.items():
            sound = self.picture.with_name(self.picture.stem + ending + ".ogg")
            if sound.exists():
                yield sound, self.name + suffix


def convert(picture, change, ground, target):
    subprocess.run(["convert", "-quiet", str(picture), "-background", ground, *change, "-resize", f"{SIDE}x{SIDE}>", "-gravity",
                    "center", "-extent", f"{SIDE}x{SIDE}", "-flatten", "-strip", "-quality", "88", str(target)], check=True)


def without_doubles(stamps, folder):
    """Those whose picture, as drawn, no earlier one has."""
    targets = [folder / f"{i}.jpg" for i in range(len(stamps))]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda pair: convert(pair[0].picture, *COPIES[0], pair[1]), zip(stamps, targets)))
    kept, seen = [], set()
    for stamp, target in zip(stamps, targets):
        digest = hashlib.sha256(target.read_bytes()).digest()
        if digest not in seen:
            kept.append(stamp)
        seen.add(digest)
    return kept


def read_stamps(root):
    stamps = []
    for picture in sorted(root.rglob("*.png")):
        caption = picture.with_suffix(".txt")
        if caption.exists() and caption.read_text(errors="replace").strip():
            stamps.append(Stamp(picture, root))
    return stamps


def write_sounds(stamps, out):
    rows, seen = {"train": [], "val": []}, set()
    for stamp in stamps:
        for sound, name in stamp.sounds():
            digest = hashlib.sha256(sound.read_bytes()).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
            split = "val" if number_of("sound " + digest, 5) == 0 else "train"
            target = out / "audio" / split / f"{name}.ogg"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sound, target)
            rows[split].append([name, 0, stamp.caption])
    for split, table in rows.items():
        with open(out / f"{split}.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["audiocap_id", "youtube_id", "start_time", "caption"])
            for i, row in enumerate(table):
                writer.writerow([10000 * (split == "val") + i, *row])


def questions_about(stamp, kinds, groups):
    """(question, answer, answer's type); as many yes as no."""
    def other(choices, own, salt):
        rest = [choice for choice in choices if choice != own]
        return rest[number_of(salt + stamp.name, len(rest))]

    yield "What kind of thing is it?", stamp.kind, "other"
    yield f"Is it of the kind {stamp.kind}?", "yes", "yes/no"
    yield f"Is it of the kind {other(kinds, stamp.kind, 'kind')}?", "no", "yes/no"
    if stamp.group:
        yield f"Which group of the kind {stamp.kind} is it?", stamp.group, "other"
        yield f"Is it one of the group {stamp.group}?", "yes", "yes/no"
        yield f"Is it one of the group {other(groups, stamp.group, 'group')}?", "no", "yes/no"


def tables_of(stamps, split, copies, first_image):
    kinds = sorted({stamp.kind for stamp in stamps})
    groups = sorted({stamp.group for stamp in stamps if stamp.group})
    questions, annotations, pictures = [], [], []
    for stamp in stamps:
        for change, ground in copies:
            image = first_image + len(pictures)
            pictures.append((stamp.picture, change, ground, f"COCO_{split}_{image:012d}.jpg"))
            for k, (question, answer, kind) in enumerate(questions_about(stamp, kinds, groups)):
                number = image * 1000 + k
                questions.append({"image_id": image, "question": question, "question_id": number})
                answers = [{"answer": answer, "answer_confidence": "yes", "answer_id": i + 1} for i in range(10)]
                annotations.append({"question_type": "none of the above", "multiple_choice_answer": answer,
                                    "answers": answers, "image_id": image, "answer_type": kind, "question_id": number})
    return questions, annotations, pictures


def write_pictures(stamps, out, split, copies, first_image, names):
    """`names` of the tables of questions and annotations."""
    questions, annotations, pictures = tables_of(stamps, split, copies, first_image)
    head = {"info": {"description": "Questions about the kinds of tuxpaint's stamps, in the form of VQA v2. Neither VQA nor COCO "
                                    "data.", "url": "https://tuxpaint.org/stamps/", "version": "1", "contributor": "stamps.py"},
            "license": LICENCE, "data_type": "mscoco", "data_subtype": split}
    (out / "images" / split).mkdir(parents=True, exist_ok=True)
    for name, more in zip(names, ({"task_type": "Open-Ended", "questions": questions}, {"annotations": annotations})):
        (out / name).write_text(json.dumps({**head, **more}))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda job: convert(*job[:3], out / "images" / split / job[3]), pictures))
    return len(questions)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    root = Path(sys.argv[2] if len(sys.argv) > 2 else "/usr/share/tuxpaint/stamps")
    if not root.is_dir():
        sys.exit(f"stamps.py: there is no {root}; install tuxpaint-stamps-default, or name its folder")
    stamps = read_stamps(root)
    with tempfile.TemporaryDirectory() as folder:
        stamps = without_doubles(stamps, Path(folder))
    write_sounds(stamps, out / "audiocaps")
    count = {}
    for split, form, copies, first_image in (("train", "train2014", COPIES, 1), ("val", "val2014", COPIES[:1], 100001),
                                             ("retention", "val2014", COPIES[:1], 200001)):
        names = (f"v2_OpenEnded_mscoco_{form}_questions.json", f"v2_mscoco_{form}_annotations.json")
        if split == "retention":
            names = ("retention_questions.json", "retention_annotations.json")
        count[split] = write_pictures([stamp for stamp in stamps if stamp.split == split], out / "vqa", form, copies,
                                      first_image, names)
    print(f"stamps.py: {len(stamps)} pictures; {count['val']} questions to ask, {count['retention']} for retention, "
          f"{count['train']} to teach a base with", file=sys.stderr)


if __name__ == "__main__":
    main()
