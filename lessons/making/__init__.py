"""How lessons are read, checked, executed and made into notebooks and slides.

cells       a lesson, or a student's copy of one, as cells
work        the functions that a student wrote, taken out of a file
messages    what a student is told when a test fails
checking    `check`: the hidden tests of one function, in this process
marking     the hidden tests of many students' files, each in a process of its own
execution   what a lesson prints and shows, cell by cell; kept until the lesson or the package changes
notebooks   lessons as notebooks
slides/     lessons as slides
"""
