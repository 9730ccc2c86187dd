"""`predict` over any number of images, part by part, by any number of processes and machines on one folder.

names     images by their path below the folder that they have in common
plan      what all parts have in common, written once and compared by whoever goes on
records   what is known of an image
json_lines  a part as text, a line an image
parquet   a part as a Parquet file, a row an image
working   the parts that lack, one after the other
team      the same in several processes of this machine
ranks     the share of a process under torchrun
merging   `pocketrcnn merge`: the files of a prediction, from its parts
"""
