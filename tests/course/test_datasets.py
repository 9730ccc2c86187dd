from dataclasses import replace

import fake_cifar
import pytest
import torch

from pocketrcnn.config import DataConfig
from pocketrcnn.course.data import cifar
from pocketrcnn.course.data.course_layout import write_course_layout
from pocketrcnn.course.data.datasets import FreshScenes, Images, open_dataset
from pocketrcnn.course.options import with_backgrounds
from pocketrcnn.errors import UserError

N = fake_cifar.RECORDS


@pytest.fixture
def contents(monkeypatch, tmp_path):
    """CIFAR-10 of a few records, in the cache."""
    contents = fake_cifar.install(monkeypatch, tmp_path)
    fake_cifar.write(cifar.cifar10_folder(), contents)
    return contents


@pytest.fixture
def course(contents, tmp_path):
    halves = [open_dataset(DataConfig("cifar10", "scenes", fresh=False), split) for split in ("train", "test")]
    write_course_layout(tmp_path / "course", *halves)
    return tmp_path / "course"


def images_of(contents, *names):
    return torch.cat([cifar.parse_records(contents[name]).images for name in names])


def whole(data):
    return data.batch(torch.arange(len(data)))


@pytest.mark.parametrize("kind", ["images", "scenes"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_sample(kind, split):
    data = open_dataset(DataConfig("sample", kind), split)
    assert len(data) == {"train": 1000, "test": 500}[split]
    assert data.size == {"images": 32, "scenes": 48}[kind]
    assert data.classes == list(cifar.CLASSES)
    assert "sample" in data.name
    batch = data.batch(torch.tensor([3, 499, 3]))
    assert batch.images.shape == (3, 3, data.size, data.size)
    assert batch.boxes.shape == (3, 1, 4)
    assert batch.labels.tolist() == [[3], [9], [3]]
    assert batch.ids.tolist() == [3, 499, 3]


def test_images_fill_the_frame(contents):
    data = open_dataset(DataConfig("cifar10"), "train")
    assert (data.name, len(data)) == ("CIFAR-10, training batch 1", N)
    batch = whole(data)
    assert torch.equal(batch.images, images_of(contents, "data_batch_1.bin"))
    assert batch.boxes.unique(dim=0).tolist() == [[[0, 0, 32, 32]]]
    test = open_dataset(DataConfig("cifar10"), "test")
    assert test.name == "CIFAR-10, test batch"
    assert torch.equal(whole(test).images, images_of(contents, "test_batch.bin"))


def test_scenes_of_training_and_test_share_nothing(contents):
    train = open_dataset(DataConfig("cifar10", "scenes"), "train")
    assert isinstance(train, FreshScenes)
    assert torch.equal(train.pools.objects, images_of(contents, "data_batch_1.bin"))
    assert torch.equal(train.pools.backgrounds, images_of(contents, "data_batch_2.bin", "data_batch_3.bin"))
    for name in ("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin"):
        (cifar.cifar10_folder() / name).unlink()
    assert len(open_dataset(DataConfig("cifar10", "scenes"), "test")) == N, "nothing of training is opened"


def test_every_run_says_which_scenes_it_saw(contents):
    assert open_dataset(DataConfig("cifar10", "scenes"), "train").name == "CIFAR-10, training batch 1, fresh scenes"
    fixed = open_dataset(DataConfig("cifar10", "scenes", fresh=False), "train")
    assert fixed.name == "CIFAR-10, training batch 1, fixed scenes"
    assert open_dataset(DataConfig("cifar10", "scenes"), "test").name == "CIFAR-10, test batch, fixed scenes"


def test_fresh_scenes_are_new_each_time_and_follow_the_seed(contents):
    data, indices = open_dataset(DataConfig("cifar10", "scenes"), "train"), torch.tensor([5, 2, 5])
    torch.manual_seed(3)
    first, second = data.batch(indices), data.batch(indices)
    torch.manual_seed(3)
    again = data.batch(indices)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.boxes, again.boxes)
    assert not torch.equal(first.images, second.images)
    assert not torch.equal(first.boxes[0], first.boxes[2]), "the same object twice, in two positions"
    assert torch.equal(first.labels, second.labels)


@pytest.mark.parametrize("config", [DataConfig("cifar10"), DataConfig("cifar10", "scenes", fresh=False)])
def test_fixed_data_draws_nothing(contents, config):
    data = open_dataset(config, "train")
    assert isinstance(data, Images)
    before = torch.get_rng_state()
    first, second = whole(data), whole(data)
    assert torch.equal(first.images, second.images)
    assert torch.equal(torch.get_rng_state(), before)


def test_batch_of_two_is_two_batches_of_one(contents):
    data = open_dataset(DataConfig("cifar10", "scenes", fresh=False), "train")
    both = data.batch(torch.tensor([4, 1]))
    alone = [data.batch(torch.tensor([index])) for index in (4, 1)]
    for name in ("images", "boxes", "labels", "ids"):
        assert torch.equal(getattr(both, name), torch.cat([getattr(batch, name) for batch in alone]))


def test_holdout_splits_the_training_images_and_never_opens_the_test_set(contents):
    (cifar.cifar10_folder() / "test_batch.bin").unlink()
    config = DataConfig("cifar10", holdout=3)
    train, held = open_dataset(config, "train"), open_dataset(config, "test")
    assert (len(train), len(held)) == (N - 3, 3)
    both = torch.cat([whole(train).images, whole(held).images])
    assert torch.equal(both, images_of(contents, "data_batch_1.bin"))
    assert (train.name, held.name) == (
        "CIFAR-10, training batch 1, without its last 3",
        "CIFAR-10, training batch 1, only the last 3",
    )


def test_holdout_of_scenes(contents):
    (cifar.cifar10_folder() / "test_batch.bin").unlink()
    config = DataConfig("cifar10", "scenes", holdout=3)
    train, held = open_dataset(config, "train"), open_dataset(config, "test")
    assert (len(train), len(held)) == (N - 3, 3)
    assert isinstance(held, Images), "one scene for each object held out"
    assert torch.equal(whole(held).labels[:, 0], cifar.parse_records(contents["data_batch_1.bin"]).labels[-3:])
    assert torch.equal(whole(held).images, whole(open_dataset(config, "test")).images)


def test_holdout_of_the_sample_has_its_own_backgrounds():
    config = DataConfig("sample", "scenes", holdout=10)
    train = open_dataset(config, "train")
    assert len(train.pools.backgrounds) == 990
    assert whole(open_dataset(config, "test")).labels[:, 0].tolist() == list(range(10)), "balanced"
    with pytest.raises(UserError, match="hold out more"):
        open_dataset(DataConfig("sample", "scenes", holdout=1), "test")


@pytest.mark.parametrize("holdout", [N, N + 1])
def test_holdout_of_everything(contents, holdout):
    for split in ("train", "test"):
        with pytest.raises(UserError, match=rf"data.holdout is {holdout}, but there are only {N} training images"):
            open_dataset(DataConfig("cifar10", holdout=holdout), split)


def test_backgrounds_from_cifar100(contents, tmp_path, monkeypatch):
    folder = fake_cifar.install_cifar100(monkeypatch, tmp_path / "cifar-100-binary")
    for name in ("data_batch_2.bin", "data_batch_3.bin"):
        (cifar.cifar10_folder() / name).unlink()
    config = DataConfig(with_backgrounds("cifar10", str(folder)), "scenes")
    train = open_dataset(config, "train")
    assert torch.equal(train.pools.backgrounds, cifar.load_cifar100_images(folder, "train.bin"))
    assert train.name == "CIFAR-10, training batch 1, backgrounds of CIFAR-100, fresh scenes"
    assert len(open_dataset(config, "test")) == N
    (folder / "test.bin").unlink()
    held = replace(config, holdout=2)
    assert len(open_dataset(held, "train").pools.backgrounds) == 8
    assert len(open_dataset(held, "test")) == 2, "the test file of CIFAR-100 is not opened either"
    with pytest.raises(UserError, match=r"backgrounds: .*test\.bin cannot be read"):
        open_dataset(config, "test")


def test_course_folder(course):
    train, test = (open_dataset(DataConfig(str(course), "scenes"), split) for split in ("train", "test"))
    assert (len(train), len(test), train.size) == (N, N, 48)
    assert (train.name, test.name) == ("course, training images, fixed scenes", "course, test images, fixed scenes")
    held = open_dataset(DataConfig(str(course), "scenes", holdout=5), "test")
    assert torch.equal(whole(held).images, whole(train).images[-5:])
    assert held.name == "course, training images, only the last 5, fixed scenes"


def test_course_folder_is_scenes_with_their_own_backgrounds(course):
    with pytest.raises(UserError, match="holds scenes"):
        open_dataset(DataConfig(str(course), "images"), "train")
    with pytest.raises(UserError, match="cannot change the scenes"):
        with_backgrounds(str(course), "there")
    with pytest.raises(UserError, match="is unknown"):
        open_dataset(DataConfig(f"{course}+cifar100:there", "scenes"), "train")


def test_unknown_source_names_the_nearest():
    with pytest.raises(UserError, match=r"`cifar-10` is unknown \(did you mean `cifar10`\?\): use cifar10, sample, or"):
        open_dataset(DataConfig("cifar-10"), "train")


def test_cifar10_that_is_not_there_names_the_command():
    with pytest.raises(UserError, match="run `pocketrcnn download cifar10`"):
        open_dataset(DataConfig("cifar10"), "train")


@pytest.mark.parametrize("fresh", [True, False])
def test_device_is_where_the_batches_are(fresh):
    data = open_dataset(DataConfig("sample", "scenes", fresh=fresh), "train").to(torch.device("meta"))
    batch = data.batch(torch.tensor([1, 2]))
    assert {batch.images.device.type, batch.boxes.device.type, batch.labels.device.type} == {"meta"}
    assert batch.images.shape == (2, 3, 48, 48)
