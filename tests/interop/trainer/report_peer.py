"""What scipy and tensorboard say: `report_peer.py statistics CASES.json` or `report_peer.py tensorboard FOLDER`."""
import json
import sys


def crossed_interval(table):
    """The generalised confidence interval of crossed random effects with Hall's correction, by numpy's draws."""
    import numpy

    random = numpy.random.default_rng(1)
    draws = 100_000
    y = numpy.array(table)
    seeds, items = y.shape
    mean = y.mean()
    by_seed, by_item = y.mean(axis=1), y.mean(axis=0)
    ms_seeds = items * by_seed.var(ddof=1)
    ms_items = seeds * by_item.var(ddof=1)
    rest = y - by_seed[:, None] - by_item[None, :] + mean
    ms_both = (rest**2).sum() / ((seeds - 1) * (items - 1))

    def chi_squared(degrees):
        return random.chisquare(degrees, draws) / degrees

    of_seeds = ms_seeds / chi_squared(seeds - 1) - ms_both / chi_squared((seeds - 1) * (items - 1))
    share = ((by_item - mean) ** 3).mean() / by_item.std() ** 3 / items**0.5
    kurtosis = ((by_item - mean) ** 4).mean() / by_item.std() ** 4
    degrees = min(items - 1, 2 * items / (kurtosis - 1)) if kurtosis > 1 + 1e-9 else items - 1
    t = random.standard_t(degrees, draws)
    of_items = 3 / share * (numpy.cbrt(1 + share * (t - share / 6)) - 1) if abs(share) > 1e-9 else t
    means = (
        mean
        - random.normal(size=draws) * numpy.sqrt(of_seeds.clip(0) / (seeds * items))
        - of_items * (ms_items / (seeds * items)) ** 0.5
    )
    return list(numpy.quantile(means, [0.025, 0.975]))


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
        "tables": [crossed_interval(table) for table in cases["tables"]],
    }


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(folder, size_guidance={"scalars": 0})
    board.Reload()
    return {tag: [[e.step, e.value] for e in board.Scalars(tag)] for tag in board.Tags()["scalars"]}


json.dump({"statistics": statistics, "tensorboard": tensorboard}[sys.argv[1]](sys.argv[2]), sys.stdout)
