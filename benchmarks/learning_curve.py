"""Does more corpus still pay? Trains on 25, 50 and 100% of the groups and prints what each model finds.

    python benchmarks/learning_curve.py [--corpus DIR] [--eval FILE]

The shares are nested and chosen by a hash of the group, so twins stay together. On grouped folds all models are judged by the same
texts, those of the smallest share, each unseen by the fit that scores it: the columns differ by the training data alone.
FILE is JSONL with id, slice, label (1 or a type of impersonation; 0, legit or other_fraud) and text. The area of a slice that has
one label only is taken against all texts of the other label; recall and false alarms are at the model's own cut-offs.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from classifier import Classifier
from classifier.corpus import read
from classifier.records import IMPERSONATION, TYPES
from classifier.retrain import corpus_root
from classifier.train import figures, train

SHARES = (0.25, 0.5, 1.0)
FEWEST = 20  # texts of a type in the smallest share; below, its recall says nothing
AT_ONE_PERCENT = "found at 1% false alarms"
LABELS = {"0": False, "1": True, **{t: t in IMPERSONATION for t in TYPES}}


def place(group):
    """Where a group stands in the order in which groups are taken, 0 to 1; unrelated to its fold."""
    return int.from_bytes(hashlib.sha256(f"learning curve {group}".encode()).digest()[:8], "big") / 2**64


def recall_at(fraud, legit):
    """Share of the fraud scores above all but 1% of the legit ones: unlike recall, it does not hang on where a model puts its cut-offs."""
    return float((fraud > np.quantile(legit, 0.99)).mean())


def on_folds(trained, examples, judged):
    """Figures of a training on the judged texts, all together and recall by type."""
    mine = np.array([e.id in judged for e in examples])
    kinds = np.array([TYPES.index(e.type) for e in examples])[mine]
    p, cut = trained.out_of_fold[mine], trained.model.cutoffs
    score = p[:, : len(IMPERSONATION)].sum(axis=1)
    out = figures(p, kinds, cut) | {AT_ONE_PERCENT: recall_at(score[kinds < len(IMPERSONATION)], score[kinds == TYPES.index("legit")])}
    called = (score >= cut.impersonation) | (p[:, TYPES.index("other_fraud")] >= cut.other_fraud)
    return out | {f"recall {t}": float(called[kinds == k].mean()) for k, t in enumerate(TYPES[:-1]) if (kinds == k).sum() >= FEWEST}


def on_rows(model, rows):
    """Area, recall and false alarms by slice, and the means over slices; rows with another label answer another question."""
    rows = [row for row in rows if str(row["label"]) in LABELS]
    score, called = [], []
    for scored in Classifier(model).scans([row["text"] for row in rows]):
        score.append(scored.outcome[:, 0])
        called.append(scored.verdict == 0)
    score, called = np.concatenate(score), np.concatenate(called)
    label = np.array([LABELS[str(row["label"])] for row in rows])
    slice_of = np.array([row["slice"] for row in rows])
    out = {}
    for name in sorted(set(slice_of)):
        mine = slice_of == name
        other = mine if len(set(label[mine])) == 2 else mine | (label != label[mine][0])
        out[f"auc {name}"] = float(roc_auc_score(label[other], score[other]))
        if (mine & label).any():
            out[f"recall {name}"] = float(called[mine & label].mean())
            out[f"{AT_ONE_PERCENT} {name}"] = recall_at(score[mine & label], score[~label])
        if (mine & ~label).any():
            out[f"false alarms {name}"] = float(called[mine & ~label].mean())
    means = {f: float(np.mean([v for k, v in out.items() if k.startswith(f"{f} ")])) for f in ("auc", "recall", AT_ONE_PERCENT, "false alarms")}
    return {f"{f}, mean of slices": v for f, v in means.items()} | dict(sorted(out.items()))


def show(title, columns):
    """One line a figure, one column a share."""
    print(f"\n{title}")
    print(f"{'':44s}" + "".join(f"{share:>9.0%}" for share in columns))
    for name in columns[SHARES[-1]]:
        print(f"{name:44s}" + "".join(f"{column[name]:9.3f}" if name in column else "        –" for column in columns.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, metavar="DIR", default=corpus_root(), help="default: the corpus that comes with scamcall")
    parser.add_argument("--eval", type=Path, metavar="FILE", help="labelled rows that the corpus does not hold")
    args = parser.parse_args()

    examples = read(args.corpus)
    rows = [json.loads(line) for line in args.eval.read_text(encoding="utf-8").splitlines() if line] if args.eval else []
    judged = {e.id for e in examples if place(e.group) < SHARES[0]}
    folds, slices = {}, {}
    for share in SHARES:
        chosen = [e for e in examples if place(e.group) < share]
        trained = train(chosen)
        print(f"{share:4.0%}: {len(chosen)} texts in {len({e.group for e in chosen})} groups, {len(trained.model.keys)} features", flush=True)
        folds[share] = on_folds(trained, chosen, judged)
        if rows:
            slices[share] = on_rows(trained.model, rows)
    show(f"Grouped folds, judged by the same {len(judged)} texts", folds)
    if rows:
        show(f"{args.eval.name}: {len(rows)} rows", slices)


if __name__ == "__main__":
    main()
