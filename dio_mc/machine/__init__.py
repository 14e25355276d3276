"""Runs workloads on real kernels: in a QEMU guest whose threads are held and released at kernel
functions."""
