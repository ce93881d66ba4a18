"""The same records matched by others: recordlinkage and Splink, each set up as its documentation suggests.

Both get crmsync's prepared fields, so that what is compared is the matching and not the cleaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
from matching_sets import Labelled, Pair, pair

from crmsync.identity.records import prepare

TEXTS = ("name", "first", "last", "street", "street2", "city")
CODES = ("domain", "email", "phone", "postal_code", "state", "born", "country")
RANDOM_PAIRS = 1e6


def _frame(data: Labelled) -> pd.DataFrame:
    rows = [{"unique_id": raw["id"], **prepare(data.kind, raw).fields} for raw in data.records]
    frame = pd.DataFrame(rows)
    columns = [name for name in (*TEXTS, *CODES) if name in frame and frame[name].notna().any()]
    return frame[["unique_id", *columns]].astype(object).where(frame.notna(), None)


def _blocks(columns: list[str]) -> list[str]:
    telling = ("name", "domain", "email", "phone", "born", "first", "last", "street", "postal_code")
    return [name for name in telling if name in columns]


def recordlinkage_ecm(data: Labelled) -> set[Pair]:
    import recordlinkage

    frame = _frame(data).set_index("unique_id")
    index = recordlinkage.Index()
    for name in _blocks(list(frame)):
        index.block(name)
    compare = recordlinkage.Compare()
    for name in frame:
        if name in TEXTS:
            compare.string(name, name, method="jarowinkler", threshold=0.85, label=name)
        else:
            compare.exact(name, name, label=name)
    lists = [frame[frame.index.isin(data.first)], frame[~frame.index.isin(data.first)]] if data.first else [frame]
    candidates = index.index(*lists)
    vectors = compare.compute(candidates, *lists)
    links = recordlinkage.ECMClassifier(binarize=0.5).fit_predict(vectors)
    return {pair(*link) for link in links}


def splink(data: Labelled) -> set[Pair]:
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink import comparison_library as cl

    frame = _frame(data)
    columns = [name for name in frame if name != "unique_id"]
    compared = [
        cl.JaroWinklerAtThresholds(name, [0.92, 0.85]).configure(term_frequency_adjustments=True)
        if name in TEXTS
        else cl.ExactMatch(name).configure(term_frequency_adjustments=name not in ("state", "country"))
        for name in columns
    ]
    rules = [block_on(name) for name in _blocks(columns)]
    kind = "link_only" if data.first else "dedupe_only"
    settings = SettingsCreator(link_type=kind, comparisons=compared, blocking_rules_to_generate_predictions=rules)
    first = frame["unique_id"].isin(data.first)
    db = DuckDBAPI()
    tables = [frame[first], frame[~first]] if data.first else [frame]
    linker = Linker([db.register(table) for table in tables], settings)
    linker.training.estimate_probability_two_random_records_match(rules[:2], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for rule in rules[:3]:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=0.5).as_pandas_dataframe()
    return {pair(a, b) for a, b in zip(predicted["unique_id_l"], predicted["unique_id_r"], strict=True)}


METHODS: Mapping[str, Callable[[Labelled], set[Pair]]] = {"recordlinkage ECM": recordlinkage_ecm, "Splink": splink}
