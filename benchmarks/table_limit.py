"""The limit of the machine: random 64-bit keys into an open-addressing table, in huge pages, with
prefetch.

No explicit-state search on one core can store new states faster than this. The loop is LLVM IR, as
in the native engine: a batch of 64 keys is hashed and prefetched, then inserted.
"""

from __future__ import annotations

import ctypes
import mmap
import time

BATCH = 64
TEXT = """
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)

define i64 @mix(i64 %x) alwaysinline {
  %a = mul i64 %x, -7046029254386353131
  %b = lshr i64 %a, 32
  %c = xor i64 %a, %b
  %d = mul i64 %c, -4417276706812531889
  %e = lshr i64 %d, 29
  %f = xor i64 %d, %e
  ret i64 %f
}

define i64 @fill(ptr %table, i64 %mask, i64 %count, ptr %batch) {
entry:
  br label %round
round:
  %done = phi i64 [ 0, %entry ], [ %after, %rounded ]
  %over = icmp uge i64 %done, %count
  br i1 %over, label %out, label %fetch
fetch:
  %i = phi i64 [ 0, %round ], [ %i1, %fetch ]
  %n = add i64 %done, %i
  %n1 = add i64 %n, 1
  %key = call i64 @mix(i64 %n1)
  %slot = getelementptr i64, ptr %batch, i64 %i
  store i64 %key, ptr %slot
  %home = and i64 %key, %mask
  %place = getelementptr i64, ptr %table, i64 %home
  call void @llvm.prefetch.p0(ptr %place, i32 1, i32 1, i32 1)
  %i1 = add i64 %i, 1
  %full = icmp eq i64 %i1, 64
  br i1 %full, label %insert, label %fetch
insert:
  %j = phi i64 [ 0, %fetch ], [ %j1, %inserted ]
  %from = getelementptr i64, ptr %batch, i64 %j
  %k = load i64, ptr %from
  %h = and i64 %k, %mask
  br label %observation
observation:
  %at = phi i64 [ %h, %insert ], [ %next, %other ]
  %here = getelementptr i64, ptr %table, i64 %at
  %found = load i64, ptr %here
  %same = icmp eq i64 %found, %k
  br i1 %same, label %inserted, label %look
look:
  %free = icmp eq i64 %found, 0
  br i1 %free, label %put, label %other
other:
  %step = add i64 %at, 1
  %next = and i64 %step, %mask
  br label %observation
put:
  store i64 %k, ptr %here
  br label %inserted
inserted:
  %j1 = add i64 %j, 1
  %last = icmp eq i64 %j1, 64
  br i1 %last, label %rounded, label %insert
rounded:
  %after = add i64 %done, 64
  br label %round
out:
  ret i64 %done
}
"""


def inserts_per_second(states: int) -> float:
    """Random inserts per second until a table holds that many keys at a load of at most 3/4."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(opt=3, jit=True)
    module = llvm.parse_assembly(TEXT)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    llvm.create_pass_builder(target, options).getModulePassManager().run(
        module, llvm.create_pass_builder(target, options)
    )
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    fill = ctypes.CFUNCTYPE(ctypes.c_int64, *([ctypes.c_int64] * 4))(engine.get_function_address("fill"))
    slots = 1 << 16
    while slots * 3 // 4 < states:
        slots *= 2
    memory = mmap.mmap(-1, slots * 8, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    view = ctypes.c_char.from_buffer(memory)
    batch = (ctypes.c_int64 * BATCH)()
    started = time.perf_counter()
    done = fill(ctypes.addressof(view), slots - 1, states, ctypes.addressof(batch))
    seconds = time.perf_counter() - started
    del view
    memory.close()
    return done / seconds


if __name__ == "__main__":
    for size in (2_110_756, 11_805_586):
        print(f"{size:>12,} keys: {inserts_per_second(size) / 1e6:.1f} M inserts/s")
