"""What scipy and tensorboard say: `report_peer.py statistics CASES.json` or `report_peer.py tensorboard FOLDER`."""
import json
import sys


def crossed_interval(table):
    """Two-way random effects with Hillis' degrees of freedom, from numpy's means."""
    import numpy
    from scipy import stats

    y = numpy.array(table)
    seeds, items = y.shape
    mean = y.mean()
    by_seed, by_item = y.mean(axis=1), y.mean(axis=0)
    ms_seeds = items * by_seed.var(ddof=1)
    ms_items = seeds * by_item.var(ddof=1)
    rest = y - by_seed[:, None] - by_item[None, :] + mean
    ms_both = (rest**2).sum() / ((seeds - 1) * (items - 1))
    variance = ms_seeds + max(ms_items - ms_both, 0)
    degrees = variance**2 / (ms_seeds**2 / (seeds - 1))
    half = stats.t.ppf(0.975, degrees) * (variance / (seeds * items)) ** 0.5
    return [mean - half, mean + half]


def statistics(path):
    from scipy import stats

    with open(path, encoding="utf-8") as file:
        cases = json.load(file)

    def flips(first, second):
        return stats.binomtest(first, first + second, 0.5).pvalue if first + second else 1.0

    def wilson(successes, trials):
        interval = stats.binomtest(successes, trials).proportion_ci(method="wilson")
        return [interval.low, interval.high]

    return {
        "flips": [flips(*pair) for pair in cases["flips"]],
        "shares": [wilson(*pair) for pair in cases["shares"]],
        "t": [stats.t.ppf(probability, degrees) for probability, degrees in cases["t"]],
        "tables": [crossed_interval(table) for table in cases["tables"]],
    }


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(folder, size_guidance={"scalars": 0})
    board.Reload()
    return {tag: [[e.step, e.value] for e in board.Scalars(tag)] for tag in board.Tags()["scalars"]}


json.dump({"statistics": statistics, "tensorboard": tensorboard}[sys.argv[1]](sys.argv[2]), sys.stdout)
