"""What webdataset, datasets and mlcroissant read out of an export, against the pack it was made of.

    export_peers.py webdataset PACK SHARDS_FOLDER
    export_peers.py datasets PACK SHARDS_FOLDER
    export_peers.py croissant PACK CROISSANT_JSON
    export_peers.py pack PACK PACK

Prints one line of counts; any difference is an assertion.
"""

import hashlib
import json
import os
import pathlib
import sys


def manifest(pack, name):
    path = pack / name
    return json.loads(path.read_text()) if path.exists() else None


def check_webdataset(pack, folder):
    import webdataset

    described = json.loads((folder / "dataset.json").read_text())
    seal = (pack / "SHA256SUMS").read_bytes()
    assert described["pack_id"] == hashlib.sha256(seal).hexdigest()
    clips = {"subset": "manifest.json", "audio_val": "audio_val_manifest.json"}
    questions = {
        split: f"{split}_manifest.json" for split in ("val", "retention", "base", "unlike")
    }
    media = set()
    samples = 0
    rows_of = {}
    for part, entry in described["splits"].items():
        split = part.split("-")[0]
        # Decoding is left to the peer's defaults for json and text; media stay bytes.
        data = webdataset.WebDataset(str(folder / entry["shards"]), shardshuffle=False).decode()
        seen = list(data)
        assert len(seen) == entry["samples"], (split, len(seen))
        samples += len(seen)
        rows = rows_of.setdefault(split, [])
        for sample in seen:
            row = sample["json"]
            suffixes = [key for key in sample if key in ("wav", "flac", "jpg", "jpeg", "png")]
            assert len(suffixes) == (0 if split == "base_captions" else 1), sample.keys()
            if suffixes:
                path = pack / row["path"]
                assert path.name == sample["__key__"] + "." + suffixes[0]
                assert sample[suffixes[0]] == path.read_bytes(), path
                assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
                media.add(row["path"])
            if split in clips or split == "base_captions":
                assert sample["txt"] == row["caption"]
                rows.append({key: row[key] for key in row if key not in ("path", "sha256")})
            else:
                rows += row["questions"]
    for split, rows in rows_of.items():
        if split in clips:
            # Forms come one after the other; within each the order is the manifest's.
            expected = manifest(pack, clips[split])["entries"]
            form = lambda row: pathlib.Path(row["audio_relpath"]).suffix
            assert rows == sorted(expected, key=form), split
        elif split == "base_captions":
            assert rows == manifest(pack, "base_manifest.json")["captions"]
        else:
            expected = manifest(pack, questions[split])["entries"]
            by_id = {row["question_id"]: row for row in rows}
            assert len(rows) == len(expected) and all(by_id[row["question_id"]] == row for row in expected), split
    listed = {line[66:] for line in seal.decode().splitlines()}
    assert media == {path for path in listed if "/" in path}, "media that are in no shard"
    print(f"{samples} samples, {len(media)} media files")


def check_datasets(pack, folder):
    import datasets

    datasets.disable_progress_bars()
    described = json.loads((folder / "dataset.json").read_text())
    samples = 0
    media = set()
    for part, entry in described["splits"].items():
        # Cached beside the shards, which a test removes.
        data = datasets.load_dataset(
            "webdataset", data_files=str(folder / f"{part}-*.tar"), split="train", cache_dir=str(folder.parent / "cache")
        )
        assert len(data) == entry["samples"], (part, len(data))
        samples += len(data)
        for name, feature in list(data.features.items()):
            if isinstance(feature, (datasets.Audio, datasets.Image)):
                data = data.cast_column(name, type(feature)(decode=False))
        keys = [name for name in data.column_names if name in ("wav", "flac", "jpg", "jpeg", "png")]
        assert len(keys) == (0 if part == "base_captions" else 1), data.column_names
        for row in data:
            if not keys:
                continue
            path = pack / row["json"]["path"]
            assert row[keys[0]]["bytes"] == path.read_bytes(), path
            media.add(row["json"]["path"])
            if "txt" in row:
                assert row["txt"] == row["json"]["caption"]
    listed = {line[66:] for line in (pack / "SHA256SUMS").read_text().splitlines()}
    assert media == {path for path in listed if "/" in path}, "media that are in no shard"
    print(f"{samples} samples, {len(media)} media files")


def check_croissant(pack, path):
    # It extracts archives into a cache that goes by their names, where another pack's may lie.
    os.environ["CROISSANT_CACHE"] = str(path.parent / "croissant_cache")
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=str(path))
    records = 0
    tables = {
        "clips": "manifest.json",
        "held_out_clips": "audio_val_manifest.json",
        "val_questions": "val_manifest.json",
        "retention_questions": "retention_manifest.json",
        "base_questions": "base_manifest.json",
        "unlike_questions": "unlike_manifest.json",
    }
    sets = {one.id for one in dataset.metadata.record_sets}
    text = lambda value: value.decode() if isinstance(value, bytes) else value
    for name, file in tables.items():
        expected = manifest(pack, file)
        assert (name in sets) == (expected is not None), name
        if expected is None:
            continue
        rows = list(dataset.records(name))
        assert len(rows) == len(expected["entries"]), name
        for row, entry in zip(rows, expected["entries"]):
            for key, value in row.items():
                column = key.split("/")[-1]
                found = [text(one) for one in value] if isinstance(value, list) else text(value)
                assert found == entry[column], (key, found, entry[column])
        records += len(rows)
    listed = [(line[66:], line[:64]) for line in (pack / "SHA256SUMS").read_text().splitlines()]
    rows = [(text(row["files/path"]), text(row["files/sha256"])) for row in dataset.records("files")]
    assert rows == listed
    print(f"{records} records, {len(rows)} files")


def check_pack(pack, _):
    import soundfile
    from PIL import Image

    described = json.loads((pack / "pack.json").read_text())
    manifests = 1
    sounds = pictures = 0
    for entry in described["files"]:
        path = pack / entry["path"]
        assert path.stat().st_size == entry["bytes"]
        if entry["role"] == "clip":
            info = soundfile.info(str(path))
            samples, rate = soundfile.read(str(path), always_2d=True)
            assert (rate, samples.shape) == (entry["rate_hz"], (entry["frames"], entry["channels"])), info
            sounds += 1
        elif entry["role"] == "image":
            with Image.open(path) as picture:
                picture.load()
                assert picture.size == (entry["width"], entry["height"])
            pictures += 1
        elif path.suffix == ".json":
            json.loads(path.read_text())
            manifests += 1
        elif path.suffix == ".jsonl":
            for line in path.read_text().splitlines():
                json.loads(line)
            manifests += 1
    print(f"{manifests} manifests, {sounds} sounds, {pictures} pictures")


def main():
    kind, pack, place = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    checks = {
        "webdataset": check_webdataset,
        "datasets": check_datasets,
        "croissant": check_croissant,
        "pack": check_pack,
    }
    checks[kind](pack, place)


main()
