#!/usr/bin/env python3
"""The texts that the Python original's packager leaves in a pack whose sources are all there.

    original_pack.py SUBSET_MANIFEST VAL_MANIFEST OUT

By the description of what it does: the subset is read row by row and written again with the seven keys of its head and the
five of a row, captions.jsonl has a line for each clip, the validation manifest is read and written as it is, the subset's
own file is copied.
"""

import json
import sys
from pathlib import Path

HEAD = ('subset_name', 'description', 'seed', 'source_dataset', 'audio_rel_root', 'metadata_columns')
ROW = ('audiocap_id', 'youtube_id', 'start_time', 'caption', 'audio_relpath')


def pick(keys, source):
    return {key: source[key] for key in keys}


def main(subset_path, val_path, out):
    subset = json.loads(subset_path.read_bytes())
    rows = [pick(ROW, entry) for entry in subset['entries']]
    texts = {
        'manifest.json': json.dumps({**pick(HEAD, subset), 'entries': rows}, indent=2),
        'captions.jsonl': '\n'.join(map(json.dumps, rows)),
        'val_manifest.json': json.dumps(json.loads(val_path.read_bytes()), indent=2),
    }
    for name, text in texts.items():
        (out / name).write_bytes(text.encode('utf-8'))
    (out / 'subset_manifest.json').write_bytes(subset_path.read_bytes())


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:]))
