"""Running workloads on real kernels: a guest in QEMU whose threads are held and released at functions of its kernel."""
