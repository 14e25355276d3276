"""Saved progress of long searches. A search that was ended, even by ``kill -9``, can be resumed
from it.

Each check has a folder. *Frames* (`frame`) are each written once, in sequence: complete levels of
the search as words, with what was observed up to the end of the last of them. The *head* names the
search and the number of frames. A frame is renamed to its final name when its bytes are on the
disk, and the head after the frame. So a crash at any moment leaves the previous checkpoint or the
new one. A search with its states on disk has these in a file of its own (`disk.saving`), which a
frame describes.

Nothing here is executed or unpickled. Every byte is under a checksum. A checkpoint of another
program, of another kind of search or of another version is refused. The contents of an intact
checkpoint are trusted, like those of the cache, so a folder to which others can write is refused as
well.
"""
