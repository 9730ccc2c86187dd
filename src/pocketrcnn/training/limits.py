"""How large the numbers of a configuration can be: beyond that no network and no run can have them. No torch here."""

LARGEST_WHOLE = 2**24  # of whole numbers, and of others, where LIMITS has no other limit
LARGEST = 1e38
SEED = 2**39  # below which `loop.step_seed` stays among the seeds of torch
LIMITS = {
    "data.seed": SEED,
    "train.seed": SEED,
    "model.backbone.width": 16,  # times the channels of the table: a layer of 16 takes gigabytes
    "model.rpn.channels": 2**14,
    "model.roi.channels": 2**14,
    "model.roi.size": 2**8,
    "model.input_size": 2**13,  # an image takes 200 MB, before the network
    "model.classes": 10**5,
}
