"""How a figure becomes a family of Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from evpower.durations import Durations

Key = TypeVar("Key", bound=tuple[str, ...])


def counter(name: str, meaning: str, value: float) -> Metric:
    """A count without labels; the format adds `_total` to its name."""
    return CounterMetricFamily(name, meaning, value=value)


def gauge(name: str, meaning: str, value: float) -> Metric:
    """A figure of this moment."""
    return GaugeMetricFamily(name, meaning, value=value)


def counts(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[Key, float]) -> Metric:
    """Counts by the values of several labels."""
    family = CounterMetricFamily(name, meaning, labels=labels)
    for key, count in sorted(values.items()):
        family.add_metric(key, count)
    return family


def counts_by(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Metric:
    """Counts by the values of one label."""
    return counts(name, meaning, (label,), {(value,): count for value, count in values.items()})


def gauges(name: str, meaning: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    """Figures of this moment by the values of one label."""
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, figure in values:
        family.add_metric([value], figure)
    return family


def histograms(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[Key, Durations]) -> Metric:
    """How long something took, by the values of several labels."""
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for key in sorted(values):
        family.add_metric(key, values[key].up_to_each_bound(), values[key].sum_s)
    return family


def histogram(name: str, meaning: str, label: str, values: Mapping[str, Durations]) -> Metric:
    """How long something took, by the values of one label."""
    return histograms(name, meaning, (label,), {(value,): times for value, times in values.items()})


def whole_histogram(name: str, meaning: str, times: Durations) -> Metric:
    """How long something took, without labels."""
    return HistogramMetricFamily(name, meaning, buckets=times.up_to_each_bound(), sum_value=times.sum_s)
