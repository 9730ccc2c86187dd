"""Settings: checked when they are built, written and read back without loss, and clear about what is wrong.

Covers `config.py` and `training/limits.py`.
"""

import dataclasses

import pytest
import yaml

from pocketrcnn.config import (
    AugmentConfig,
    BackboneConfig,
    Config,
    DataConfig,
    ModelConfig,
    OptimConfig,
    PhaseConfig,
    ROIConfig,
    RPNConfig,
    TrainConfig,
    replace,
)
from pocketrcnn.course.experiments import EXPERIMENTS, RECIPES
from pocketrcnn.errors import UserError, nearest
from pocketrcnn.training import config_file as settings
from pocketrcnn.training.config_file import SCHEMA, dump, load, override, to_dict

KNOWN = "name a setting of augment, loss, model, optim, train.phases, train.sync_batchnorm or train.checkpoint_seconds"


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda e: e.id)
def test_every_configuration_comes_back_as_it_was_written(experiment, recipe) -> None:
    config = experiment.config(recipe, 150, "sample", 3)
    assert load(dump(config), "config.yaml") == config
    assert load(dump(config), "config.yaml").train.seed == 3


def test_a_file_holds_plain_values_only() -> None:
    text = dump(Config(model=ModelConfig(rpn=RPNConfig(anchors=((16.0, 16.0), (24.0, 48.0))), roi=None)))
    plain = yaml.safe_load(text)
    assert plain["schema"] == SCHEMA
    assert plain["model"]["rpn"]["anchors"] == [[16.0, 16.0], [24.0, 48.0]]
    assert plain["model"]["roi"] is None
    assert "!!" not in text


def test_replace_changes_one_value_and_nothing_else() -> None:
    before = Config(model=ModelConfig(rpn=RPNConfig(), roi=ROIConfig("max")))
    after = replace(before, model__rpn__prior=0.2, train__seed=5)
    assert (after.model.rpn.prior, after.train.seed) == (0.2, 5)
    assert replace(after, model__rpn__prior=0.5, train__seed=0) == before
    assert before.train.seed == 0


def test_configurations_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().train.seed = 1


def test_replace_checks_the_new_value() -> None:
    with pytest.raises(UserError, match=r"train\.batch is 1"):
        replace(Config(), train__batch=1)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TrainConfig(iterations=0), "train.iterations is 0: use 1 or more"),
        (lambda: TrainConfig(iterations=-5), "train.iterations is -5: use 1 or more"),
        (lambda: TrainConfig(batch=0), "train.batch is 0: BatchNorm needs 2 or more images"),
        (lambda: TrainConfig(batch=1), "train.batch is 1: BatchNorm needs 2 or more images"),
        (lambda: TrainConfig(evaluations=0), "train.evaluations is 0: use 1 or more"),
        (lambda: DataConfig(holdout=-1), "data.holdout is -1: use 0 or more"),
        (lambda: AugmentConfig(shift=-1), "augment.shift is -1: use 0 or more pixels"),
        (lambda: AugmentConfig(cutout=-1), "augment.cutout is -1: use 0 or more pixels"),
        (lambda: OptimConfig(lr=0), "optim.lr is 0: use a learning rate above 0"),
        (
            lambda: OptimConfig(schedule="exponential"),
            "optim.final_lr is 0.0: an exponential schedule needs a rate above 0 to end at, as in optim.final_lr=1e-4",
        ),
        (lambda: ROIConfig(dropout=1.0), "roi.dropout is 1.0: use 0 up to, not including, 1"),
        (lambda: ROIConfig(jitter=-0.1), "roi.jitter is -0.1: use 0 or more"),
        (lambda: ROIConfig(positive_fraction=-1.0), "roi.positive_fraction is -1.0: use 0 or more"),
        (
            lambda: ModelConfig(rpn=RPNConfig(), roi=ROIConfig("frame")),
            "roi.pool: `frame` classifies the whole input, not regions: use `transformer` or `max`",
        ),
        (lambda: RPNConfig(anchors=()), "rpn.anchors needs at least one anchor, with sides above 0"),
        (lambda: RPNConfig(anchors=((32.0, 0.0),)), "rpn.anchors needs at least one anchor, with sides above 0"),
        (lambda: RPNConfig(prior=1.0), "rpn.prior is 1.0: a probability between 0 and 1"),
        (lambda: RPNConfig(proposals=0), "rpn.proposals is 0: use 1 or more"),
        (lambda: RPNConfig(training_fraction=0.0), "rpn.training_fraction is 0.0: use more than 0, at most 1"),
    ],
)
def test_impossible_values_are_refused(build, message) -> None:
    with pytest.raises(UserError) as caught:
        build()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "here was written by another version of pocketrcnn"),
        ("[1, 2]", "here was written by another version"),
        ("train: {}", "here was written by another version"),
        (f"schema: {SCHEMA + 1}", "here was written by another version"),
        ("a: [", "here is not YAML"),
        (
            "schema: 2\ntrain: {iteration: 5}",
            r"here, train has the unknown setting `iteration` \(did you mean `iterations`\?\)",
        ),
        ("schema: 2\n7: 8", "unknown setting `7`"),
        ("schema: 2\ntrian: {}", r"unknown setting `trian` \(did you mean `train`\?\)"),
        ("schema: 2\ntrain: 5", "here, train: expected settings, got a whole number"),
        ("schema: 2\ntrain: {iterations: many}", "here, train.iterations: expected a whole number, got text"),
        ("schema: 2\ntrain: {iterations: true}", "here, train.iterations: expected a whole number, got true or false"),
        ("schema: 2\ntrain: {iterations: 1.5}", "here, train.iterations: expected a whole number, got a number"),
        ("schema: 2\ntrain: {iterations: 0}", "train.iterations is 0"),
        ("schema: 2\noptim: {lr: fast}", "here, optim.lr: expected a number, got text"),
        ("schema: 2\noptim: {lr: true}", "here, optim.lr: expected a number, got true or false"),
        ("schema: 2\noptim: {betas: 0.9}", "here, optim.betas: expected a list, got a number"),
        (
            "schema: 2\noptim: {name: adma}",
            "here, optim.name: invalid enum value 'adma', expected one of 'adam', 'adamw', 'sgd', 'muon'",
        ),
        ("schema: 2\noptim: {betas: [0.9]}", "here, optim.betas: expected a list of length 2, got 1"),
        (
            "schema: 2\nmodel: {rpn: {anchors: [[12]]}}",
            r"here, model.rpn.anchors\[0\]: expected a list of length 2, got 1",
        ),
        ("schema: 2\naugment: {zoom: 2021-13-45}", "here is not YAML"),
        ("schema: 2\nmodel: {rpn: {box_dims: 5}}", "model.rpn.box_dims: invalid enum value 5, expected one of 0, 3, 4"),
    ],
)
def test_files_that_cannot_be_used_say_where_and_why(content, message) -> None:
    with pytest.raises(UserError, match=message) as caught:
        load(content, "here")
    assert "\n" not in str(caught.value)
    assert "here" in str(caught.value) or "train.iterations" in str(caught.value)


def test_whole_numbers_may_stand_for_floats() -> None:
    assert load("schema: 2\noptim: {lr: 1, betas: [0, 0.5]}", "here").optim == OptimConfig(lr=1.0, betas=(0.0, 0.5))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim.betas=[0.9,1.5]", r"optim.betas is \[0.9, 1.5\]"),
        ("model.rpn.channels=0", "rpn.channels is 0: use 1 or more"),
        ("model.roi.size=0", "roi.size is 0: use 1 or more"),
        ("model.roi.channels=-3", "roi.channels is -3: use 0 or more"),
        ("augment.zoom=2021-13-45", "the value is not YAML"),
    ],
)
def test_values_with_which_nothing_can_be_built_are_refused(setting, message) -> None:
    with pytest.raises(UserError, match=message):
        override(planned(), [setting])


def test_numbers_that_yaml_takes_for_text_are_numbers() -> None:
    """To YAML 1.1 a number with an exponent has a point and a sign: 1.0e-3."""
    assert load("schema: 2\noptim: {lr: 1e-3, betas: [9e-1, 0.99]}", "here").optim == OptimConfig(
        lr=1e-3, betas=(0.9, 0.99)
    )
    changed = override(planned(), ["optim.lr=5E-4", "optim.schedule=exponential", "optim.final_lr=1e-5"]).optim
    assert (changed.lr, changed.schedule, changed.final_lr) == (5e-4, "exponential", 1e-5)


def test_text_that_looks_like_a_number_stays_text() -> None:
    config = Config(DataConfig("1e5", "folder", ("1e3", "2.5E-1", "yes", "7")))
    assert load(dump(config), "here") == config


def test_what_is_not_given_has_its_default() -> None:
    assert load("schema: 2", "here") == Config()
    assert load("schema: 2\nmodel: {rpn: null, backbone: {table: 2}}", "here").model.backbone == BackboneConfig(table=2)


def test_plain_settings_can_be_compared() -> None:
    assert to_dict(Config()) == to_dict(load(dump(Config()), "here"))


def test_a_configuration_from_before_a_setting_has_its_default_in_a_comparison() -> None:
    """A run of an earlier version goes on, though its file does not name what came later."""
    assert to_dict(load("schema: 2\ntrain: {iterations: 5}", "here")) == to_dict(Config(train=TrainConfig(5)))
    given = override(planned(), ["train.phases=[{fraction: 0.5}, {fraction: 0.5, train_box: truth}]"])
    phases = (PhaseConfig(0.5), PhaseConfig(0.5, train_box="truth"))
    assert to_dict(given) == to_dict(replace(planned(), train__phases=phases))


def test_nearest_names_what_was_probably_meant() -> None:
    assert nearest("itrations", ["iterations", "batch"]) == " (did you mean `iterations`?)"
    assert nearest("zzz", ["iterations", "batch"]) == ""


def test_every_setting_has_a_default_and_a_section_a_description() -> None:
    for field in dataclasses.fields(settings.Config):
        section = field.default_factory
        assert section() == section()
        assert section.__doc__
        assert not section.__doc__.startswith(section.__name__), "a description in words, not the generated one"


def planned() -> Config:
    return Config(model=ModelConfig(rpn=RPNConfig(), roi=ROIConfig("max")))


def test_settings_are_overridden_by_name() -> None:
    config = planned()
    changed = override(config, ["augment.paste=4", "augment.zoom=[0.8, 2]", "model.rpn.nms_iou=0.6", "loss.box=3"])
    assert changed.augment == replace(config, augment__paste=4, augment__zoom=(0.8, 2.0)).augment
    assert changed.model.rpn is not None
    assert (changed.model.rpn.nms_iou, changed.loss.box) == (0.6, 3.0)
    assert override(config, []) == config


def test_phases_are_set_by_name_and_come_back_as_they_were_written() -> None:
    given = "train.phases=[{fraction: 0.5, train_box: truth}, {fraction: 0.5, trained: [rpn], restart: true}]"
    changed = override(planned(), [given, "train.checkpoint_seconds=0.5"])
    phases = (PhaseConfig(0.5, train_box="truth"), PhaseConfig(0.5, ("rpn",), restart=True))
    assert (changed.train.phases, changed.train.checkpoint_seconds) == (phases, 0.5)
    assert load(dump(changed), "here") == changed
    assert override(changed, ["train.phases=[]"]).train.phases == ()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("augment.past=4", f"{KNOWN} (did you mean `augment.paste`?)"),
        ("augment.paste", f"--set augment.paste: {KNOWN}"),
        ("augment=4", "--set augment=4: name a setting of"),
        ("model.rpn=4", "--set, model.rpn: expected settings, got a whole number; use another value"),
        ("train.batch=4", f"--set train.batch=4: {KNOWN} (did you mean `--batch`?)"),
        ("augment.zoom=3", "--set, augment.zoom: expected a list, got a whole number; use another value"),
        ("augment.zoom=[2, 1]", "augment.zoom is [2.0, 1.0]: use two factors above 0, the smaller one first"),
        ("augment.paste=many", "--set, augment.paste: expected a whole number, got text"),
        ("augment.zoom=[1", "--set augment.zoom=[1: the value is not YAML"),
        ("", "--set : name a setting of"),
        ("optim.lr=.inf", "--set optim.lr=.inf: the value is not YAML, write a number"),
        ("augment.zoom=[1, .nan]", "--set augment.zoom=[1, .nan]: the value is not YAML, write a number"),
        ("optim.lr=nan", "--set, optim.lr: expected a number, got text"),
        ("optim.lr=inf", "--set, optim.lr: expected a number, got text"),
        ("optim.lr=1e999", "--set, optim.lr: expected a number, got text"),
        ("augment.paste=1e1", "--set, augment.paste: expected a whole number, got a number"),
        ("optim.schedule=exponential", "optim.final_lr is 0.0: an exponential schedule needs a rate above 0"),
        (
            "model.input_size=90",
            "model.input_size=90: model.input_size is not set by name, the anchors depend on it, use --input-size",
        ),
        ("learning_rate=0.1", f"--set learning_rate=0.1: {KNOWN} (did you mean `opt"),
        ("optim.learning_rate=0.1", "(did you mean `optim.lr`?)"),
        ("lr=0.1", "(did you mean `optim.lr`?)"),
        ("epochs=10", "(did you mean `--iterations`?)"),
        ("optim.nms_iou=0.1", "(did you mean `model.nms_iou`?)"),
        ("model.rpn.training_part=1", "(did you mean `model.rpn.training_fraction`?)"),
        ("weight=1", f"{KNOWN}, as in augment.paste=4"),
        ("train.phase=[]", "(did you mean `train.phases`?)"),
        ("phases=[]", "(did you mean `train.phases`?)"),
        ("train.phases.fraction=1", "--set train.phases.fraction=1: name a setting of"),
        ("train.phases=[{fractoin: 1}]", "--set, train.phases has the unknown setting `fractoin` (did you mean `fra"),
        ("train.phases=[{fraction: all}]", "--set, train.phases[0].fraction: expected a number, got text; use another"),
        ("train.phases={fraction: 1}", "--set, train.phases: expected a list, got settings; use another value"),
        ("train.phases=[half]", "--set, train.phases[0]: expected settings, got text; use another value"),
        ("train.phases=[{fraction: 0.5}]", "train.phases: the fractions sum to 0.5: make it 1"),
        ("train.phases=[{}, {}]", "train.phases: the fractions sum to 2: make it 1"),
        (
            "train.phases=[{trained: [rnp]}]",
            "--set, train.phases[0].trained[0]: invalid enum value 'rnp', expected one of 'backbone', 'rpn', 'head'; ",
        ),
        ("train.phases=[{train_box: true_box}]", "expected one of '', 'truth', 'predicted', 'jittered', 'sampled'; "),
        ("train.phases=[{train_box: [truth]}]", "--set, train.phases[0].train_box: expected text, got a list"),
        ("train.phases=[{proposals: frozen}]", "train.phases: frozen proposals need an rpn and `train_box: predicted`"),
        (" model.classes =2", "model.classes is not set by name, it follows from the data, change the classes there"),
    ],
)
def test_settings_that_are_none_are_refused_in_one_line(setting: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        override(planned(), [setting])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "train: {iterations: !!int ''}",
        "train: {iterations: !!timestamp x}",
        f"data: {'[' * 2000}",
        "data: [&a [x], &b [*a, *a], [*b, *b]]",
        "train: !!python/object:os.system {}",
        "? {a: 1}\n: 2",
    ],
)
def test_what_pyyaml_fails_on_is_named(content: str) -> None:
    """It failed with an IndexError, an AttributeError and a RecursionError, and hung on aliases of aliases."""
    with pytest.raises(UserError, match=r"config\.yaml is not YAML \(.+\): restore it or use a new folder") as caught:
        load(f"schema: 2\n{content}", "config.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("section", "setting"),
    [
        ("model: {backbone: {width: 1.0e+9}}", "model.backbone.width"),
        (f"model: {{input_size: {10**29}}}", "model.input_size"),
        ("model: {rpn: {channels: 1000000000}, roi: null}", "model.rpn.channels"),
        ("model: {rpn: {anchors: [[8.0, 1.0e+39]]}, roi: null}", "model.rpn.anchors"),
        (f"train: {{seed: {2**70}}}", "train.seed"),
        ("train: {phases: [{fraction: 1.0}], batch: 100000000}", "train.batch"),
    ],
)
def test_numbers_that_nothing_can_have_are_refused(section: str, setting: str) -> None:
    with pytest.raises(UserError, match=rf"config\.yaml, {setting}: .*restore it or use a new folder") as caught:
        load(f"schema: 2\n{section}", "config.yaml")
    assert len(str(caught.value)) < 200


def test_a_number_of_hundreds_of_digits_is_not_read() -> None:
    with pytest.raises(UserError, match=r"config\.yaml is not YAML \(10+… is too large a number\): restore it"):
        load(f"schema: 2\nmodel: {{input_size: {10**400}}}", "config.yaml")


@pytest.mark.parametrize("line", [r'data: {source: "\ud800"}', r'"\ud800": 1', r'model: {roi: {pool: "a\udfff"}}'])
def test_half_characters_are_no_text(line: str) -> None:
    with pytest.raises(UserError, match=r"config\.yaml is not YAML \(.*surrogates.*\): restore it"):
        load(f"schema: 2\n{line}", "config.yaml")


@pytest.mark.parametrize("raw", [None, 3, [], "text", {"schema": []}])
def test_a_configuration_that_is_none_is_refused(raw: object) -> None:
    """As the metadata of weights may hold one."""
    with pytest.raises(UserError, match=r"weights was written by another version"):
        settings.from_dict(raw, "weights")  # type: ignore[arg-type]
