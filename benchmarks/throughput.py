"""Messages per second on one core, side by side in one run: this package against the pipeline people write.

    python benchmarks/throughput.py [--messages 20000] [--profile]

The plain pipeline: jieba words (1-2-grams) and characters (1-4-grams) in TF-IDF, logistic regression, `predict_proba` on a list,
40 regular expressions, as is usual. Both score the same messages of the
corpus, ordinary ones and one fraud in twenty; the two are timed in turns and the ratio of each
pair is printed, for absolute figures do not travel between machines.
"""

import argparse
import cProfile
import gc
import os
import pstats
import re
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import jieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from classifier import load
from classifier.corpus import read
from classifier.records import VERDICTS
from classifier.retrain import corpus_root
from classifier.tactics import load_tactics

ROUNDS = 3
FRAUD_EVERY = 20  # messages: an export that was worth looking at has more fraud than the 0.05% of all traffic


def plain_pipeline(texts, types):
    """The baseline, trained on the same corpus; a list of texts -> (probabilities, regular expressions that matched)."""
    words = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None, ngram_range=(1, 2), min_df=2)
    chars = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2)
    model = make_pipeline(make_union(words, chars), LogisticRegression(max_iter=200)).fit(texts, [t not in ("legit", "other_fraud") for t in types])
    expressions = [re.compile("|".join(map(re.escape, t.phrases[:8]))) for t in load_tactics().tactics[:40]]
    return lambda batch: (model.predict_proba(batch), [[bool(e.search(t)) for e in expressions] for t in batch])


def ours(classifier, evidence):
    """A list of texts -> scores and tactics, and with evidence the whole record of what is not called legit."""

    def run(batch):
        for scored in classifier.scans(batch):
            if evidence:
                [scored.verdict_of(k) for k in range(len(scored)) if VERDICTS[scored.verdict[k]] != "legit"]
            else:
                scored.tactics  # noqa: B018 what a label file holds

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--profile", action="store_true", help="also print where our time goes")
    args = parser.parse_args()

    examples = [e for e in read(corpus_root()) if e.channel != "call"]
    middling = [e for e in examples if 40 <= len(e.text) <= 120]
    ordinary, fraud = [e.text for e in middling if e.ordinary], [e.text for e in middling if e.type != "legit"]
    texts = [fraud[k % len(fraud)] if k % FRAUD_EVERY == 0 else ordinary[k % len(ordinary)] for k in range(args.messages)]
    print(f"{len(texts)} messages of {statistics.mean(map(len, texts)):.0f} characters on average, one process")
    plain = plain_pipeline([e.text for e in examples], [e.type for e in examples])
    classifier = load()
    contenders = {"plain pipeline": plain, "scores and tactics": ours(classifier, False), "with evidence": ours(classifier, True)}
    gc.freeze()  # one contender's objects are not searched for garbage at the other's expense
    rates = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            batch = texts if name != "plain pipeline" else texts[: max(1000, len(texts) // 10)]
            run(batch[:200])
            begin = time.perf_counter()
            run(batch)
            rates[name].append(len(batch) / (time.perf_counter() - begin))
    for name, rate in rates.items():
        ratio = statistics.median(r / p for r, p in zip(rate, rates["plain pipeline"], strict=True))
        print(f"{name:20s} {statistics.median(rate):10,.0f} msg/s   {ratio:6.1f} times the plain pipeline")
    if args.profile:
        profile = cProfile.Profile()
        profile.runcall(contenders["scores and tactics"], texts)
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
