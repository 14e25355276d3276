"""Kernel functions at which threads can be held, in the page cache, direct IO and four file
systems.

Each place is a tuple of the names that the function has had in different releases. A kernel has one
of them, or none if the compiler has inlined the function. All of them may sleep and hold no spin
lock on entry. The names were checked against the symbols of Debian's 5.10.223, 6.1.180, 6.12.117
and 7.3.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

COMMON: Final = (
    ("generic_file_buffered_read", "filemap_read"),
    ("filemap_get_pages",),
    ("page_cache_ra_unbounded",),
    ("add_to_page_cache_lru", "filemap_add_folio"),
    ("generic_perform_write", "iomap_file_buffered_write"),
    ("balance_dirty_pages_ratelimited", "balance_dirty_pages_ratelimited_flags"),
    ("filemap_write_and_wait_range",),
    ("__filemap_fdatawait_range",),
    ("invalidate_inode_pages2_range",),
    ("iomap_dio_rw",),
    ("submit_bio",),
    ("iomap_dio_complete",),
    ("filemap_fault",),
    ("do_page_mkwrite",),
    ("iomap_page_mkwrite",),
    ("finish_fault", "alloc_set_pte"),
    ("do_writepages",),
    ("file_write_and_wait_range",),
    ("vfs_fallocate",),
    ("unmap_mapping_range", "unmap_mapping_pages"),
    ("truncate_pagecache_range",),
    ("truncate_inode_pages_range",),
    ("truncate_setsize", "truncate_pagecache"),
    ("invalidate_mapping_pages",),
    ("aio_read",),
    ("aio_write",),
    ("__x64_sys_io_getevents",),
)
"""Functions that calls pass on every file system."""
EXT4: Final = (
    ("ext4_iomap_begin",),
    ("ext4_iomap_overwrite_begin",),
    ("ext4_map_blocks",),
    ("ext4_page_mkwrite",),
    ("ext4_get_block",),
    ("ext4_da_get_block_prep",),
    ("ext4_write_begin",),
    ("ext4_da_write_begin",),
    ("ext4_da_write_end",),
    ("ext4_writepages",),
    ("mpage_prepare_extent_to_map",),
    ("ext4_bio_write_page", "ext4_bio_write_folio"),
    ("ext4_io_submit",),
    ("ext4_mpage_readpages",),
    ("ext4_dio_write_end_io",),
    ("ext4_convert_unwritten_extents",),
    ("ext4_handle_inode_extension",),
    ("ext4_punch_hole",),
    ("ext4_es_remove_extent",),
    ("ext4_ext_remove_space",),
    ("ext4_ind_remove_space",),
    ("ext4_truncate",),
    ("jbd2_log_wait_commit",),
)
"""Functions of ext4, which also serves ext3."""
XFS: Final = (
    ("xfs_read_iomap_begin",),
    ("xfs_direct_write_iomap_begin",),
    ("xfs_iomap_write_direct",),
    ("xfs_buffered_write_iomap_begin",),
    ("grab_cache_page_write_begin", "__filemap_get_folio"),
    ("xfs_vm_writepages",),
    ("xfs_map_blocks",),
    ("xfs_bmapi_convert_delalloc",),
    ("xfs_dio_write_end_io",),
    ("xfs_iomap_write_unwritten",),
    ("xfs_setfilesize",),
    ("iomap_readahead",),
    ("xfs_free_file_space",),
    ("xfs_flush_unmap_range",),
    ("xfs_bunmapi",),
    ("xfs_itruncate_extents_flags",),
    ("xfs_log_force_seq",),
)
BTRFS: Final = (
    ("btrfs_direct_IO", "btrfs_direct_read"),
    ("btrfs_direct_write",),
    ("btrfs_dio_iomap_begin",),
    ("btrfs_get_extent",),
    ("btrfs_page_mkwrite",),
    ("btrfs_set_extent_delalloc",),
    ("btrfs_writepages",),
    ("btrfs_run_delalloc_range",),
    ("btrfs_lock_and_flush_ordered_range",),
    ("btrfs_readahead",),
    ("btrfs_buffered_write",),
    ("btrfs_submit_direct", "btrfs_dio_submit_io"),
    ("btrfs_wait_ordered_range",),
    ("btrfs_replace_file_extents",),
    ("btrfs_truncate_inode_items",),
    ("btrfs_sync_file",),
)
OF: Final = {"ext3": EXT4, "ext4": EXT4, "xfs": XFS, "btrfs": BTRFS}
"""The functions of each file system."""

STANDS_FOR: Final[dict[str, tuple[str, ...]]] = {
    "__filemap_fdatawrite_range": ("filemap_write_and_wait_range",),
    "wait_on_page_writeback_range": ("__filemap_fdatawait_range",),
    "filemap_nopage": ("filemap_fault",),
    "do_generic_file_read": ("generic_file_buffered_read", "filemap_read"),
    "add_to_page_cache": ("add_to_page_cache_lru", "filemap_add_folio"),
    "get_more_blocks": ("ext4_iomap_begin", "xfs_read_iomap_begin", "btrfs_dio_iomap_begin"),
    "ext3_get_block": ("ext4_iomap_begin", "ext4_map_blocks"),
    "iomap_dio_actor": ("ext4_iomap_begin", "xfs_direct_write_iomap_begin", "btrfs_dio_iomap_begin"),
    "dio_await_completion": ("iomap_dio_complete",),
    "dio_complete": ("iomap_dio_complete",),
    "dio_bio_end_aio": ("iomap_dio_complete",),
    "direct_io_worker": ("submit_bio",),
    "bio_endio": ("submit_bio",),
    "ext4_iomap_begin": ("xfs_read_iomap_begin", "btrfs_dio_iomap_begin"),
    "inode_dio_begin": ("ext4_iomap_begin", "xfs_read_iomap_begin", "btrfs_dio_iomap_begin"),
    "write_cache_pages": ("mpage_prepare_extent_to_map", "xfs_vm_writepages", "btrfs_writepages"),
    "iomap_writepage_map": ("mpage_prepare_extent_to_map", "xfs_map_blocks", "btrfs_run_delalloc_range"),
    "submit_bh": ("ext4_io_submit", "submit_bio"),
    "end_page_writeback": ("submit_bio",),
    "set_page_dirty": ("finish_fault", "alloc_set_pte"),
}
"""Functions that models name and that current kernels have renamed or removed, with the functions at which a thread
about to enter them is held instead."""


def wanted(file_system: str) -> list[str]:
    """The functions to look up in a kernel."""
    return [name for place in (*COMMON, *OF[file_system]) for name in place]


def standing_for(function: str, there: Iterable[str]) -> str | None:
    """The gate for a function that a model names, among the functions `there`; None if there is none."""
    known = set(there)
    names = (function, *_other_names(function), *STANDS_FOR.get(function, ()))
    return next((name for name in names if name in known), None)


def _other_names(function: str) -> tuple[str, ...]:
    places = (*COMMON, *EXT4, *XFS, *BTRFS)
    return next((place for place in places if function in place), ())
