/*
 * Holding a thread at the entry of a kernel function. Included by guest.c.
 *
 * The host overwrites a function that is never called with the code below, and the five-byte nop at the beginning of
 * each gated function (where ftrace would put its own call) with a call to it. The code runs in the kernel, with the
 * caller's registers, for every thread that passes a gate. A worker is recognised by a mark at the far end of its
 * kernel stack, which the host has written there together with the address of the worker's control block. The block is
 * memory of the guest's program, mapped at the same address in all its processes: the virtual CPU has neither SMAP nor
 * SMEP.
 *
 * A held thread waits for interrupts, with the interrupt flag unchanged, so that its CPU still serves interrupts and
 * IPIs; after each it calls cond_resched, which keeps per-CPU work and RCU going. It stays runnable all the time, like
 * a preempted thread.
 */

enum { PASSES = 900 };

struct control { /* the code below uses these offsets */
	volatile uint64_t target;  /*  0: the gate's return address; 0 is none */
	volatile uint64_t nth;     /*  8: counts down; the thread is held when it reaches 0 */
	volatile uint64_t held;    /* 16 */
	volatile uint64_t release; /* 24 */
	volatile uint64_t count;   /* 32: number of passed gates that are recorded */
	uint64_t resched;          /* 40: the kernel's cond_resched, or 0 */
	volatile uint64_t gates[PASSES];
	char rest[2 * PAGE - 48 - 8 * PASSES];
};

static struct control *const controls = (struct control *)0x200000000;

extern const unsigned char gate_code[], gate_code_end[];

__asm__(".pushsection .rodata\n"
	"gate_code:\n"
	"	pushf\n"
	"	push %rax\n"
	"	push %rcx\n"
	"	mov %rsp, %rax\n"
	"	and $-0x4000, %rax\n"
	"	movabs $0x64696f2d6d632121, %rcx\n"
	"	cmp %rcx, 0x100(%rax)\n"
	"	jne 9f\n"
	"	mov 0x108(%rax), %rax\n"
	"	mov 32(%rax), %rcx\n"
	"	cmp $900, %rcx\n"
	"	jae 1f\n"
	"	push %rdx\n"
	"	mov 32(%rsp), %rdx\n"
	"	mov %rdx, 48(%rax,%rcx,8)\n"
	"	pop %rdx\n"
	"	incq 32(%rax)\n"
	"1:	mov 24(%rsp), %rcx\n"
	"	cmp %rcx, (%rax)\n"
	"	jne 9f\n"
	"	decq 8(%rax)\n"
	"	jnz 9f\n"
	"	movq $0, (%rax)\n"
	"	movq $1, 16(%rax)\n"
	"2:	cmpq $0, 24(%rax)\n"
	"	jne 4f\n"
	"	testq $0x200, 16(%rsp)\n"
	"	jz 3f\n"
	"	hlt\n"
	"	mov 40(%rax), %rcx\n"
	"	test %rcx, %rcx\n"
	"	jz 2b\n"
	"	push %rax\n"
	"	push %rdx\n"
	"	push %rsi\n"
	"	push %rdi\n"
	"	push %r8\n"
	"	push %r9\n"
	"	push %r10\n"
	"	push %r11\n"
	"	call *%rcx\n"
	"	pop %r11\n"
	"	pop %r10\n"
	"	pop %r9\n"
	"	pop %r8\n"
	"	pop %rdi\n"
	"	pop %rsi\n"
	"	pop %rdx\n"
	"	pop %rax\n"
	"	jmp 2b\n"
	"3:	pause\n"
	"	jmp 2b\n"
	"4:	movq $0, 16(%rax)\n"
	"	movq $0, 24(%rax)\n"
	"9:	pop %rcx\n"
	"	pop %rax\n"
	"	popf\n"
	"	ret\n"
	"gate_code_end:\n"
	".popsection\n");

/* Release a held thread; its CPU is woken by the interrupt of a membarrier. */
static void release(int which)
{
	controls[which].release = 1;
	while (controls[which].release) {
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0);
		usleep(20);
	}
}
