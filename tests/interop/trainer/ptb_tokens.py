#!/usr/bin/env python3
"""Captions as coco-caption's tokeniser cuts them, for tests/unit/trainer/results/ptb_tokens.tsv.

    ptb_tokens.py FILE        FILE: a caption a line, and what follows a tab is not looked at

Prints each caption, a tab, and its tokens. Needs pycocoevalcap, which brings the Penn Treebank tokeniser, and Java:

    ptb_tokens.py ptb_tokens.tsv | diff ptb_tokens.tsv -
"""
import sys

from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

captions = [line.rstrip("\n").split("\t")[0] for line in open(sys.argv[1], encoding="utf-8")]
tokens = PTBTokenizer().tokenize({i: [{"caption": caption}] for i, caption in enumerate(captions)})
for i, caption in enumerate(captions):
    print(f"{caption}\t{tokens[i][0]}")
