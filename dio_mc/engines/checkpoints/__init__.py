"""What a long search has done, kept in files: a search that is ended, be it by ``kill -9``, goes on from there.

A folder per check has a few kinds of files. *Frames* (`frame`) are written once each, one after the other: whole levels
of the search, as words, with what was noticed up to the last of them. The *head* says what search it is, and how many
frames there are. A frame is renamed to its place when its bytes are on the disk, and the head when the frame is; so
there is no moment at which a crash leaves anything but the checkpoint before or the one after.

Nothing here is executed or unpickled. Every byte is under a checksum, and a checkpoint of another program, of another
kind of search or by another version is refused. But what is read is believed, as what the cache holds is: so a folder
to which others may write is refused as well.
"""
