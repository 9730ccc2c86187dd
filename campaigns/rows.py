"""The campaigns by name: the promise, and the module that puts it to the test."""

ROWS = {
    "K1": ("A run that is killed and resumed ends in the same bytes, and loses one interval at most.", "kills"),
    "K2": ("SIGINT and SIGTERM leave a checkpoint, the right exit code, within 2 s of the iteration.", "signalled"),
    "K3": ("Where writing fails, what was there stays, one line says so, and the run goes on later.", "failing_disk"),
    "K4": ("Stopped between any two file operations, the next command does what was asked.", "stopped_between"),
    "K5": ("A prediction in parts that is killed goes on, and ends in the same bytes.", "parts"),
    "C1": (
        "Hostile files of a run: no traceback, hang, gigabyte or code; every flip of a bit noticed.",
        "hostile_runs",
    ),
    "C2": ("Hostile images: no traceback, hang, or gigabyte.", "hostile_images"),
    "C3": ("Hostile annotations: no traceback, hang, or gigabyte, and nothing lost in silence.", "hostile_annotations"),
    "N1": ("Numbers that are not finite are noticed at once, and are in no file.", "poisoned"),
    "D1": ("The same command gives the same bytes, on a busy machine too, interrupted or not.", "same_bytes"),
    "P1": ("Processes that share a run, a cache or a folder do not harm each other.", "together"),
    "S1": ("Memory, open files and threads do not grow with use.", "steady"),
    "E1": ("Evaluation equals pycocotools, and is defined where that fails.", "average_precision"),
    "X1": ("Days of ordinary use: exit code 0, 1 or 2, one line, and no file changed unasked.", "ordinary_use"),
}
