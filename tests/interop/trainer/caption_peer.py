"""Scores tokens with coco-caption's BLEU, ROUGE-L and CIDEr-D: JSON [[prediction, [references]], ...] to JSON."""
import contextlib
import io
import json
import sys

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

with open(sys.argv[1], encoding="utf-8") as file:
    pairs = json.load(file)
said = {i: [" ".join(prediction)] for i, (prediction, _) in enumerate(pairs)}
references = {i: [" ".join(one) for one in many] for i, (_, many) in enumerate(pairs)}
with contextlib.redirect_stdout(io.StringIO()):  # Bleu prints its lengths
    bleu, _ = Bleu(4).compute_score(references, said)
_, rouge = Rouge().compute_score(references, said)
_, cider = Cider().compute_score(references, said)
json.dump({"bleu": list(bleu), "rouge": [float(x) for x in rouge], "cider": [float(x) for x in cider]}, sys.stdout)
