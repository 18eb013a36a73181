# SPDX-License-Identifier: MIT
"""series.py - statistics of short series of rounds."""
import numpy
from scipy import stats


def mean_sd(values):
    return float(numpy.mean(values)), float(numpy.std(values, ddof=1)) if len(values) > 1 else 0.0


def interval_95(values):
    """Mean and 95 % interval of the mean, by Student's t."""
    mean, sd = mean_sd(values)
    if len(values) < 2:
        return mean, -numpy.inf, numpy.inf
    half = stats.t.ppf(0.975, len(values) - 1) * sd / len(values) ** 0.5
    return mean, mean - half, mean + half


def ratio_interval(values, base):
    """Ratio of two series measured in pairs: geometric mean and 95 % interval."""
    return tuple(map(float, numpy.exp(interval_95(numpy.log(values) - numpy.log(base)))))
