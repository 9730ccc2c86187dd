"""What others publish, fetched once into the cache.

stored   from the first source that has it: verified, whole or not at all
members  files of known names, in a folder or an archive
fetch    an HTTP download that goes on where it stopped, and npm
"""
