#!/usr/bin/env python3
"""How fast `safe-manifest val` is at VQA v2's full size, beside the way of the Python original, in one run; and `audio`, which
the original has nothing like, at AudioCaps' full size.

    cmake --build build/lean --target safe-manifest
    tests/bench/manifest_speed.py [--bin build/lean/bin] [--work build/bench] [--repeats 5]

The tables are made up, with the official ones' sizes, keys and key order: 214,354 questions on 40,504 images, ten answers
each, 190 MB. The peer reads both with json.load and draws with random.Random(seed).sample, as the original does. The two run
in turn, and what is stated is the median of the ratios of neighbours: on a machine that others use too, both feel the
same crowd. Memory is the largest resident set, from wait4. The page cache is warm. Both must write the same bytes. Exit code
1 where a goal is missed.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

QUESTIONS, IMAGES = 214_354, 40_504
CLIPS = 49_838  # of AudioCaps' train split
GOAL_RATIO, GOAL_MIB = 15, 256

# Openings of VQA v2's questions, roughly as often as its validation split has them (in thousandths of all), and the kind
# of answer that most of them get; one in twelve gets another.
TYPES = [
    ('how many', 95, 'number'), ('is the', 81, 'yes/no'), ('what', 74, 'other'), ('what color is the', 66, 'other'),
    ('what is the', 53, 'other'), ('none of the above', 40, 'other'), ('is this', 37, 'yes/no'), ('is this a', 35, 'yes/no'),
    ('what is', 30, 'other'), ('are the', 25, 'yes/no'), ('what kind of', 27, 'other'), ('is there a', 25, 'yes/no'),
    ('what type of', 19, 'other'), ('where is the', 19, 'other'), ('is it', 17, 'yes/no'), ('are there', 16, 'yes/no'),
    ('what are the', 15, 'other'), ('does the', 15, 'yes/no'), ('is', 14, 'yes/no'), ('are', 13, 'yes/no'),
    ('is the man', 13, 'yes/no'), ('what color are the', 12, 'other'), ('are these', 11, 'yes/no'),
    ('what is on the', 11, 'other'), ('what is in the', 10, 'other'), ('is the woman', 8, 'yes/no'),
    ('is the person', 8, 'yes/no'), ('what is the man', 15, 'other'), ('do you', 7, 'yes/no'),
    ('how many people are', 9, 'number'), ('what color is', 7, 'other'), ('what sport is', 5, 'other'),
    ('is there', 11, 'yes/no'), ('what does the', 9, 'other'), ('what time', 8, 'other'), ('why', 7, 'other'),
    ('which', 10, 'other'), ('is that a', 3, 'yes/no'), ('what is the person', 4, 'other'), ('are they', 6, 'yes/no'),
    ('are there any', 7, 'yes/no'), ('what is the woman', 5, 'other'), ('is he', 5, 'yes/no'), ('has', 3, 'yes/no'),
    ('how many people are in', 4, 'number'), ('can you', 6, 'yes/no'), ('what animal is', 3, 'other'), ('how', 8, 'other'),
    ('what room is', 4, 'other'), ('who is', 5, 'other'), ('why is the', 3, 'other'), ('do', 3, 'yes/no'),
    ('what number is', 3, 'number'), ('what brand', 3, 'other'), ('is this person', 4, 'yes/no'),
    ('what is the color of the', 4, 'other'), ('what is this', 7, 'other'), ('is this an', 4, 'yes/no'),
    ('could', 3, 'yes/no'), ('was', 4, 'yes/no'), ('what is the name', 4, 'other'), ('what are', 8, 'other'),
    ('where are the', 6, 'other'), ('does this', 7, 'yes/no'), ('did', 1, 'yes/no'),
]
WORDS = {
    'yes/no': ['yes', 'no', 'yes', 'no', 'maybe'],
    'number': ['0', '1', '2', '3', '4', '5', '10', 'many', '12'],
    'other': ['red', 'blue', 'white', 'frisbee', 'skateboarding', 'on the table', 'black and white', 'pizza', 'caf\u00e9',
              'tennis racket', 'left', 'giraffe', 'Stop', "it's raining", 'none', 'street sign'],
}
NOUNS = ['the man wearing', 'a dog near the bench', 'the people in this photo', 'the bus on the left', 'this room', 'the cat']

# What create_val_manifest does, by its specification: maps of all rows, ascending ids, Random(seed).sample, Counter's ties.
PEER = r"""
import json, random, sys
from collections import Counter
questions_path, annotations_path, output, size, seed = sys.argv[1:]
with open(questions_path, encoding='utf-8') as file:
    data = json.load(file)
questions = {row['question_id']: {'question_id': row['question_id'], 'image_id': row['image_id'],
                                  'question': row['question'].strip()} for row in data['questions']}
with open(annotations_path, encoding='utf-8') as file:
    data = json.load(file)
answers = {row['question_id']: [a['answer'].strip() for a in row['answers']] for row in data['annotations']}
ids = sorted(questions.keys() & answers.keys())
entries = []
for i in sorted(random.Random(int(seed)).sample(ids, int(size))):
    counts = Counter(a.lower() for a in answers[i] if a)
    image = questions[i]['image_id']
    entries.append({'question_id': i, 'image_id': image, 'image_filename': f'COCO_val2014_{image:012d}.jpg',
                    'question': questions[i]['question'], 'answers': answers[i],
                    'majority_answer': counts.most_common(1)[0][0] if counts else ''})
manifest = {'subset_name': 'vqa_val_overfit_v1',
            'description': 'VQA v2 validation subset for SAFE overfitting regression checks', 'seed': int(seed),
            'source_dataset': 'VQA v2 validation', 'entries': entries}
with open(output, 'w', encoding='utf-8') as file:
    json.dump(manifest, file, indent=2)
"""


def make_tables(questions_path, annotations_path):
    """Writes rows as they are made: the tables as objects would take a gigabyte."""
    draw = random.Random(7)
    head = {'info': {'description': 'Made up, in the form of VQA v2.', 'version': '2.0', 'year': 2017},
            'task_type': 'Open-Ended', 'data_type': 'mscoco', 'license': {'name': 'none'}, 'data_subtype': 'val2014'}
    opening = json.dumps(head)[:-1]
    images = sorted(draw.sample(range(1, 582_000), IMAGES))
    weights = [weight for _, weight, _ in TYPES]
    with open(questions_path, 'w', encoding='utf-8') as questions, open(annotations_path, 'w', encoding='utf-8') as annotations:
        questions.write(opening + ', "questions": [')
        annotations.write(opening + ', "annotations": [')
        for i in range(QUESTIONS):
            image, number = images[i % IMAGES], i // IMAGES
            kind, _, answer_type = draw.choices(TYPES, weights)[0]
            if draw.random() < 1 / 12:
                answer_type = draw.choice(list(WORDS))
            words = WORDS[answer_type]
            usual = draw.choice(words)
            given = [usual if draw.random() < 0.7 else draw.choice(words) for _ in range(10)]
            comma = ', ' if i else ''
            questions.write(comma + json.dumps({
                'image_id': image, 'question': f'{kind.capitalize()} {draw.choice(NOUNS)} {draw.choice(words)}?',
                'question_id': image * 1000 + number}))
            annotations.write(comma + json.dumps({
                'question_type': kind, 'multiple_choice_answer': usual,
                'answers': [{'answer': answer, 'answer_confidence': draw.choice(('yes', 'yes', 'maybe', 'no')), 'answer_id': k}
                            for k, answer in enumerate(given, 1)],
                'image_id': image, 'answer_type': answer_type, 'question_id': image * 1000 + number}))
        questions.write(']}')
        annotations.write(']}')


def make_clips(path):
    draw = random.Random(20262)
    letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'
    with open(path, 'w', encoding='utf-8') as table:
        table.write('audiocap_id,youtube_id,start_time,caption\n')
        for i in range(CLIPS):
            caption = ' '.join(draw.choice(NOUNS) for _ in range(9)) + ', then ' + draw.choice(NOUNS)
            table.write(f'{i + 1},{"".join(draw.choices(letters, k=11))},{draw.randrange(0, 400, 10)},"{caption}"\n')


def run(command):
    """Seconds and mebibytes of a command that must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f'manifest_speed.py: this failed with {process.returncode}: {command[:3]}')
    return took, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bin', default='build/lean/bin')
    parser.add_argument('--work', default='build/bench')
    parser.add_argument('--repeats', type=int, default=5)
    arguments = parser.parse_args()
    work = Path(arguments.work)
    work.mkdir(parents=True, exist_ok=True)
    questions, annotations = work / 'v2_val2014_questions.json', work / 'v2_val2014_annotations.json'
    if not annotations.exists():
        make_tables(questions, annotations)
    size_mb = sum(p.stat().st_size for p in (questions, annotations)) / 1e6
    theirs, ours = work / 'val_theirs.json', work / 'val_ours.json'
    peer = [sys.executable, '-c', PEER, str(questions), str(annotations), str(theirs), '500', '123']
    program = [f'{arguments.bin}/safe-manifest', 'val', '--quiet', '--questions', str(questions), '--annotations',
               str(annotations), '--output', str(ours)]
    rows = [(run(peer), run(program)) for _ in range(arguments.repeats)]
    if theirs.read_bytes() != ours.read_bytes():
        sys.exit('manifest_speed.py: the two manifests differ')
    ratio = statistics.median(a[0] / b[0] for a, b in rows)
    mib = max(b[1] for _, b in rows)
    print(f'{QUESTIONS} questions, {size_mb:.0f} MB of JSON, {len(os.sched_getaffinity(0))} cores, {arguments.repeats} repeats, '
          'the same bytes')
    print('| | seconds (median) | max RSS |\n|---|---|---|')
    for name, side in (('Python', 0), ('safe-manifest val', 1)):
        print(f'| {name} | {statistics.median(row[side][0] for row in rows):.2f} | {max(row[side][1] for row in rows):.0f} MiB |')
    clips = work / 'train.csv'
    if not clips.exists():
        make_clips(clips)
    command = [f'{arguments.bin}/safe-manifest', 'audio', '--quiet', '--metadata', str(clips), '--output', str(work / 'clips.json')]
    alone = [run(command) for _ in range(arguments.repeats)]
    print(f'| safe-manifest audio, {CLIPS} rows | {statistics.median(one[0] for one in alone):.2f} | '
          f'{max(one[1] for one in alone):.0f} MiB |')
    reached = ratio >= GOAL_RATIO and mib <= GOAL_MIB
    print(f'{ratio:.1f} times as fast (goal {GOAL_RATIO}), {mib:.0f} MiB (goal {GOAL_MIB}): {"reached" if reached else "MISSED"}')
    sys.exit(0 if reached else 1)


if __name__ == '__main__':
    main()
