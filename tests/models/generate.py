"""Trains small models with LightGBM and XGBoost and writes them with held-out rows and the library's own predictions.

    python -m venv venv && venv/bin/pip install -r tests/models/requirements.txt
    venv/bin/python tests/models/generate.py

Each model becomes a rule file, `<name>.json`, with rows beside it, `<name>.rows.json`; `scores.json` holds what the core gives natively, to the
last bit, for the run as WebAssembly to compare with. Everything is seeded: a second run writes the same bytes.
"""

import json
import subprocess
from pathlib import Path

import lightgbm
import numpy
import xgboost

HERE = Path(__file__).parent
FEATURES = ["views", "spent", "plan", "is_member"]
PLANS = ["free", "pro", "team", "school", "rare"]
CATEGORIES = {plan: code for code, plan in enumerate(PLANS)}
TRAINED, HELD_OUT = 3_000, 48


def visitors(random, count):
    """Rows of the four features; `rare` is in no row, so that it is new to the models."""
    views = random.poisson(6, count).astype(float)
    spent = numpy.round(random.gamma(2, 20, count) * (random.random(count) < 0.6), 2)
    plan = random.choice(4, count, p=[0.5, 0.25, 0.15, 0.1]).astype(float)
    member = (random.random(count) < 0.3).astype(float)
    rows = numpy.column_stack([views, spent, plan, member])
    rows[random.random(rows.shape) < 0.12] = numpy.nan
    return rows


def outcome(random, rows):
    views, spent, plan, member = rows.T
    known_plan = numpy.nan_to_num(plan, nan=0).astype(int)
    value = 0.25 * numpy.nan_to_num(views, nan=9) + 0.02 * numpy.nan_to_num(spent, nan=-20)
    value += numpy.array([0.0, 1.5, -1.0, 2.5])[known_plan] + 0.8 * numpy.nan_to_num(member)
    return value + random.normal(0, 0.7, len(rows))


def edges(thresholds):
    """Rows on and beside bounds of splits, with values that only look like zero and a category new to the models."""
    rows = [
        [numpy.nan] * 4,
        [0.0, 0.0, 4.0, 0.0],
        [-0.0, 1e-36, 0.0, 1.0],
        [1e-34, -1e-36, 1.0, numpy.nan],
        [5.999999999, 19.99999999, 2.0, 1.0],
    ]
    for feature, threshold in thresholds:
        row = [3.0, 25.0, 1.0, 0.0]
        row[feature] = threshold
        rows.append(row)
    return numpy.array(rows)


def lightgbm_thresholds(dump):
    found = []

    def walk(node):
        if node.get("decision_type") == "<=":
            found.append((node["split_feature"], node["threshold"]))
        for side in ("left_child", "right_child"):
            if side in node:
                walk(node[side])

    for tree in dump["tree_info"]:
        walk(tree["tree_structure"])
    return found


def xgboost_thresholds(model):
    found = []
    for tree in model["learner"]["gradient_booster"]["model"]["trees"]:
        nodes = zip(tree["left_children"], tree["split_type"], tree["split_indices"], tree["split_conditions"])
        found += [(index, bound) for left, kind, index, bound in nodes if left >= 0 and kind == 0]
    return found


def train_lightgbm(rows, target, parameters):
    fixed = {"num_leaves": 7, "learning_rate": 0.3, "min_data_per_group": 10, "cat_smooth": 1, "max_cat_to_onehot": 1}
    fixed |= {"verbose": -1, "seed": 1, "deterministic": True, "force_row_wise": True, "num_threads": 1}
    data = lightgbm.Dataset(rows, target, feature_name=FEATURES, categorical_feature=["plan"])
    booster = lightgbm.train(fixed | parameters, data, 10)
    dump = booster.dump_model()
    return dump, lightgbm_thresholds(dump), booster.predict


def matrix(rows, target=None):
    kinds = ["float", "float", "c", "float"]
    return xgboost.DMatrix(rows, target, feature_names=FEATURES, feature_types=kinds, enable_categorical=True)


def train_xgboost(rows, target, parameters):
    fixed = {"max_depth": 4, "eta": 0.3, "max_cat_to_onehot": 1, "seed": 1, "nthread": 1, "tree_method": "hist"}
    booster = xgboost.train(fixed | parameters, matrix(rows, target), 10)
    model = json.loads(booster.save_raw("json"))
    return model, xgboost_thresholds(model), lambda held_out: booster.predict(matrix(held_out))


def shown(row):
    """A row as a page would say it: categories by name, a boolean where the model has 0 and 1, null where missing."""
    views, spent, plan, member = [None if numpy.isnan(value) else float(value) for value in row]
    return {
        "views": views,
        "spent": spent,
        "plan": None if plan is None else PLANS[int(plan)],
        "is_member": None if member is None else bool(member),
    }


def write(name, kind, train, parameters, binary):
    random = numpy.random.default_rng(7)
    rows = visitors(random, TRAINED)
    target = outcome(random, rows)
    if binary:
        target = (target > 2.5).astype(int)
    dump, thresholds, predict = train(rows, target, parameters)
    # Of the bounds of `is_member` none is a truth value, so they cannot be shown.
    thresholds = [found for found in sorted(set(thresholds)) if found[0] < 2]
    held_out = numpy.vstack([visitors(random, HELD_OUT), edges(thresholds)])
    inputs = {feature: f"context.{feature}" for feature in FEATURES}
    inputs["plan"] = {"path": "context.plan", "categories": CATEGORIES}
    model = {"name": name, "kind": kind, "inputs": inputs, "dump": dump}
    predictions = [float(prediction) for prediction in predict(held_out)]
    keep(f"{name}.json", {"models": [model]})
    keep(f"{name}.rows.json", {"rows": [shown(row) for row in held_out], "predictions": predictions})


def keep(name, value):
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    (HERE / name).write_text(text + "\n")


def main():
    zero = {"objective": "regression", "zero_as_missing": True}
    write("lightgbm-binary", "lightgbm", train_lightgbm, {"objective": "binary", "sigmoid": 1.5}, True)
    write("lightgbm-regression", "lightgbm", train_lightgbm, zero, False)
    write("lightgbm-plain", "lightgbm", train_lightgbm, {"objective": "regression", "use_missing": False}, False)
    write("xgboost-binary", "xgboost", train_xgboost, {"objective": "binary:logistic"}, True)
    write("xgboost-regression", "xgboost", train_xgboost, {"objective": "reg:squarederror"}, False)
    command = "cargo run --quiet --package attune-core --features author --example model_scores"
    scores = subprocess.run(command.split(), cwd=HERE, check=True, capture_output=True, text=True).stdout
    (HERE / "scores.json").write_text(scores)


if __name__ == "__main__":
    main()
