/*
@ABOUT@
 *
 * Build and run:  cc -O1 -pthread -o race race.c && ./race FILE [ROUNDS]
 *
 * FILE must be on the file system under test@MOUNT@. Each round creates the file again, starts the threads together
 * with random delays, and compares their results with the counterexample. Exit status: 1 if they matched, 0 if they did
 * not, 2 if something failed. The window may be small: comments mark where a delay in the kernel widens it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, THREADS = @COUNT@ };
static const char layout[] = "@LAYOUT@";
static const char *path;
static uint64_t round_number;
static pthread_barrier_t start;

struct thread {
	const char *name, *expected;
	void (*body)(struct thread *);
	char *buffer, *source, *mapping;
	int cached, direct, cpu;
	aio_context_t context;
	struct iocb request;
	sigjmp_buf past_the_end;
	char seen[64];
};

static __thread struct thread *running;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void sigbus(int number) { siglongjmp(running->past_the_end, number); }

/* Every word contains its round, which distinguishes it from data of an earlier file. */
static uint64_t word(char kind) { return (uint64_t)kind << 56 | round_number; }

static __attribute__((unused)) void fill(char *page, char kind)
{
	for (int i = 0; i < PAGE / 8; i++)
		((uint64_t *)page)[i] = word(kind);
}

static const char *word_is(uint64_t value)
{
	return value == 0 ? "zero" : value == word('O') ? "old" : value == word('N') ? "new" : value == word('M') ? "newer" : "exposed";
}

static __attribute__((unused)) const char *page_is(const char *page)
{
	for (int i = 1; i < PAGE / 8; i++)
		if (!strcmp(word_is(((const uint64_t *)page)[i]), "exposed"))
			return "exposed";
	return word_is(*(const uint64_t *)page);
}

static void seen(struct thread *me, const char *what)
{
	size_t at = strlen(me->seen);
	snprintf(me->seen + at, sizeof me->seen - at, "%s%s", at ? " then " : "", what);
}

static __attribute__((unused)) void was_read(struct thread *me, long got)
{
	seen(me, got == PAGE ? page_is(me->buffer) : got == 0 ? "eof" : errno == EIO ? "error" : strerror(errno));
}

static __attribute__((unused)) void was_written(struct thread *me, long got, const char *value)
{
	me->seen[0] = 0;
	seen(me, got == PAGE ? value : got < 0 && errno == EIO ? "error" : got < 0 ? strerror(errno) : "short");
}

static __attribute__((unused)) void submit(struct thread *me, int opcode, char *memory)
{
	struct iocb *list[] = { &me->request };
	memset(&me->request, 0, sizeof me->request);
	me->request.aio_lio_opcode = opcode;
	me->request.aio_fildes = me->direct;
	me->request.aio_buf = (uintptr_t)memory;
	me->request.aio_nbytes = PAGE;
	if (syscall(SYS_io_submit, me->context, 1, list) != 1)
		fail("io_submit");
}

static __attribute__((unused)) long reap(struct thread *me)
{
	struct io_event event;
	if (syscall(SYS_io_getevents, me->context, 1, 1, &event, NULL) != 1)
		fail("io_getevents");
	errno = (long)event.res < 0 ? -(long)event.res : 0;
	return (long)event.res < 0 ? -1 : (long)event.res;
}

/* ---- the threads of the counterexample ---- */

@BODIES@
static struct thread threads[THREADS] = {
@TABLE@};

static void *run(void *argument)
{
	struct thread *me = argument;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(me->cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof set, &set);
	running = me;
	unsigned seed = round_number * THREADS + me->cpu;
	pthread_barrier_wait(&start);
	for (volatile int spin = rand_r(&seed) % 20000; spin > 0; spin--)
		;
	me->body(me);
	return NULL;
}

static void lay_out(void)
{
	char *page = aligned_alloc(PAGE, PAGE);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		fail(path);
	fill(page, 'O');
	if (layout[0] == 'h' ? ftruncate(fd, PAGE) : layout[0] == 'p' ? fallocate(fd, 0, 0, PAGE) : pwrite(fd, page, PAGE, 0) != PAGE)
		fail("cannot lay out the file");
	fsync(fd);
	posix_fadvise(fd, 0, PAGE, POSIX_FADV_DONTNEED);
	close(fd);
	free(page);
}

static int one_round(void)
{
	pthread_t handles[THREADS];
	int as_expected = 1;
	lay_out();
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		struct thread *me = &threads[i];
		me->cpu = i + 1;
		me->cached = open(path, O_RDWR);
		me->direct = open(path, O_RDWR | O_DIRECT);
		if (me->cached < 0 || me->direct < 0)
			fail("open");
		me->mapping = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, me->cached, 0);
		me->seen[0] = 0;
		pthread_create(&handles[i], NULL, run, me);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(handles[i], NULL);
		munmap(threads[i].mapping, PAGE);
		close(threads[i].cached);
		close(threads[i].direct);
		as_expected &= !threads[i].expected[0] || !strcmp(threads[i].seen, threads[i].expected);
	}
	unlink(path);
	return as_expected;
}

int main(int count, char **arguments)
{
	long rounds = count > 2 ? atol(arguments[2]) : 1000, found = 0;
	if (count < 2) {
		fprintf(stderr, "usage: %s FILE [ROUNDS]\n", arguments[0]);
		return 2;
	}
	path = arguments[1];
	signal(SIGBUS, sigbus);
	for (int i = 0; i < THREADS; i++) {
		threads[i].buffer = aligned_alloc(PAGE, PAGE);
		threads[i].source = aligned_alloc(PAGE, PAGE);
		syscall(SYS_io_setup, 4, &threads[i].context);
	}
	for (long i = 0; i < rounds; i++) {
		round_number = i + 1;
		found += one_round();
	}
	printf("@EXPECTED@: %ld of %ld rounds\n", found, rounds);
	return found > 0;
}
