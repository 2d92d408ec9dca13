"""Does it know a kind it was never shown, in sources it was never shown either?

    python benchmarks/unseen_kinds.py FILE [--corpus DIR]

Each kind of KINDS is left out of training whole, with all groups that hold a text of it; then the texts of its slices of FILE are judged
against all slices of the other side: the area under the ROC curve of `scam_score`, mean over those slices. FILE is JSONL with slice,
label (1 impersonation, 0 legit; others are passed over) and text, of which nothing is in the corpus. `scamcall evaluate kinds` asks the
same of the corpus alone, half of whose legit texts are twins of scams.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from classifier import Classifier
from classifier.corpus import read
from classifier.evaluation.kinds import kind_of, scores
from classifier.records import IMPERSONATION
from classifier.retrain import corpus_root
from classifier.train import train

KINDS = {  # left out -> the slices that are of it
    "acquaintance": ("tft5_acquaintance",),
    "authority": ("tft5_police", "call_fraud_identity"),
    "institution": ("fbs_phishing", "call_fraud_bank", "call_fraud_phishing"),
    "ecommerce": ("tft5_customer_service", "call_fraud_customer_service", "call_fraud_parcel_mail"),
    "advertising": ("fbs_ad_network_service", "fbs_ad_other", "fbs_ad_real_estate", "fbs_ad_retail", "sms80w_ads"),
    "chat": ("personal_sms",),
    "calls": ("call_normal_service",),
}


def by_slice(path):
    """Label -> slice -> texts."""
    sides = {1: {}, 0: {}}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["label"] in sides:
            sides[row["label"]].setdefault(row["slice"], []).append(row["text"])
    return sides


def area(mine, other, fraud):
    """Of some texts' scores against those of the other side."""
    return float(roc_auc_score([fraud] * len(mine) + [not fraud] * len(other), np.concatenate([mine, other])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--corpus", type=Path, metavar="DIR", default=corpus_root(), help="default: the corpus that comes with scamcall")
    args = parser.parse_args()

    examples, sides = read(args.corpus), by_slice(args.file)
    means = {True: [], False: []}
    for kind, slices in KINDS.items():
        fraud = kind in IMPERSONATION
        groups = {e.group for e in examples if kind_of(e) == kind}
        classifier = Classifier(train([e for e in examples if e.group not in groups]).model)
        others = [scores(classifier, texts) for texts in sides[int(not fraud)].values()]
        for name in slices:
            mine = scores(classifier, sides[int(fraud)][name])
            means[fraud].append(float(np.mean([area(mine, other, fraud) for other in others])))
            print(f"without {kind:14s} {name:30s} {len(mine):5d} texts  {means[fraud][-1]:.3f}", flush=True)
    print(f"mean of frauds {np.mean(means[True]):.3f}, of legit {np.mean(means[False]):.3f}, of both {np.mean([*means[True], *means[False]]):.3f}")


if __name__ == "__main__":
    main()
