"""Saved progress of long searches: a search that was ended, even by ``kill -9``, is resumed from it.

Each check has a folder. *Frames* (`frame`) are written once each, one after the other: complete levels of the search as
words, with what was observed up to the end of the last of them. The *head* names the search and the number of frames. A
frame is renamed to its final name when its bytes are on the disk, and the head after the frame. So a crash
at any moment leaves the checkpoint before or the one after.

Nothing here is executed or unpickled. Every byte is under a checksum. A checkpoint of another program, of another kind
of search or of another version is refused. What passes is believed, as the contents of the cache are, so a folder that
others can write to is refused as well.
"""
