/*
 * The only program of a guest: init, and the threads of a workload.
 *
 * As init it loads the modules that /modules lists, opens the virtio-serial port that the host talks to, and answers
 * requests, one per line: "NUMBER WORD ARGUMENTS", answered by "NUMBER ok ..." or "NUMBER error ...". The protocol is
 * described in dio_mc/machine/channel.py. gate.c says how threads are held, schedule.c runs a schedule.
 *
 * A thread of a workload is a process of its own, pinned to a CPU of its own; init and everything else stay on CPU 0.
 * It makes its system calls only, with what they need prepared before, so that whatever passes a gate on its CPU, on
 * its kernel stack, belongs to a call. What the calls return is written down as the models' system calls do
 * (models/protocols/syscalls.py): last result and the one before, what had been acknowledged when the last call began,
 * what it meant to write.
 *
 * Every 64-bit word that is written has the number of the schedule, so that data of an earlier file is told from this
 * file's: it is "STALE", as is the pattern that the disk was filled with.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MAX = 6, PROGRAM = 256 };

struct worker { /* shared between init and a worker */
	char program[PROGRAM], outcome[12], earlier[12], floor[12], wrote[12], failed[64];
	volatile int ended, ready;
	volatile uint64_t passed;
};
struct shared { struct worker worker[MAX]; char acknowledged[12], file[64]; uint64_t schedule; };

static struct shared *sh;
static int port = -1, bell[2], go[MAX][2], nudge[MAX][2];
static pid_t pid[MAX];
static int workers;

static void say(const char *format, ...)
{
	char line[8192];
	va_list list;
	va_start(list, format);
	int size = vsnprintf(line, sizeof line - 1, format, list), done = 0;
	va_end(list);
	if (size > (int)sizeof line - 2)
		size = sizeof line - 2;
	line[size++] = '\n';
	while (done < size) {
		int some = write(port, line + done, size - done);
		if (some <= 0)
			reboot(RB_POWER_OFF);
		done += some;
	}
}

static void pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof set, &set);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), good = fd >= 0 && write(fd, text, strlen(text)) > 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static int get(const char *path, char *text, int size)
{
	int fd = open(path, O_RDONLY), some = fd < 0 ? 0 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	text[some > 0 ? some : 0] = 0;
	return some > 0;
}

#include "gate.c"

/* ---- data ---------------------------------------------------------------------------------------------------- */

static uint64_t word(char kind) { return (uint64_t)kind << 56 | sh->schedule; }

static char kind_of(const char *name) { return !strcmp(name, "NEW") ? 'N' : !strcmp(name, "NEWER") ? 'M' : 'O'; }

static void fill(char *page, char kind)
{
	for (int i = 0; i < PAGE / 8; i++)
		((uint64_t *)page)[i] = word(kind);
}

static const char *word_is(uint64_t value)
{
	if (value == 0)
		return "ZERO";
	if (value == word('O'))
		return "OLD";
	if (value == word('N'))
		return "NEW";
	if (value == word('M'))
		return "NEWER";
	return value == 0x3f3f3f3f3f3f3f3f ? "UNTOUCHED" : "STALE";
}

/* A store through a mapping writes the first word only, so that it is one step; the rest must not be another's. */
static const char *page_is(const char *page)
{
	for (int i = 1; i < PAGE / 8; i++)
		if (!strcmp(word_is(((const uint64_t *)page)[i]), "STALE"))
			return "STALE";
	return word_is(*(const uint64_t *)page);
}

static const char *read_is(long got, const char *page)
{
	if (got == PAGE)
		return page_is(page);
	return got == 0 ? "EOF" : got < 0 && errno == EIO ? "EIO" : NULL;
}

/* ---- the threads of a workload ------------------------------------------------------------------------------- */

static sigjmp_buf past_the_end;
static void sigbus(int number) { siglongjmp(past_the_end, number); }

static struct worker *me;
static int cached, direct;
static char *buffer, *source, *mapping;
static aio_context_t context;
static struct iocb request;

static void set(char *field, const char *value) { strncpy(field, value, 11); }

static void result(const char *value)
{
	set(me->earlier, me->outcome);
	set(me->outcome, value);
}

static void failed(const char *call)
{
	if (!me->failed[0])
		snprintf(me->failed, sizeof me->failed, "%s:%s", call, strerrorname_np(errno) ?: "short");
}

static void take(const char *call, long got)
{
	const char *value = read_is(got, buffer);
	if (value)
		result(value);
	else
		failed(call);
}

static void acknowledge(const char *call, long got, const char *value)
{
	if (got == PAGE) {
		set(me->outcome, value);
		set(sh->acknowledged, value);
	} else if (got < 0 && errno == EIO) {
		set(me->outcome, "EIO");
	} else {
		failed(call);
	}
}

static void submit(int opcode, char *memory)
{
	struct iocb *list[] = { &request };
	memset(&request, 0, sizeof request);
	request.aio_lio_opcode = opcode;
	request.aio_fildes = direct;
	request.aio_buf = (uintptr_t)memory;
	request.aio_nbytes = PAGE;
	if (syscall(SYS_io_submit, context, 1, list) != 1)
		failed("io_submit");
}

static void reap(const char *value)
{
	struct io_event event;
	if (syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1) {
		failed("io_getevents");
		return;
	}
	long got = (long)event.res;
	if (got < 0) {
		errno = -got;
		got = -1;
	}
	if (request.aio_lio_opcode == IOCB_CMD_PREAD) {
		take("io_getevents", got);
	} else {
		set(me->earlier, me->outcome);
		acknowledge("io_getevents", got, value);
	}
}

static void load(void)
{
	if (sigsetjmp(past_the_end, 1)) {
		result("EOF");
		return;
	}
	uint64_t first = *(volatile uint64_t *)mapping;
	memcpy(buffer, mapping, PAGE);
	*(uint64_t *)buffer = first;
	result(page_is(buffer));
}

static void store(const char *value)
{
	if (sigsetjmp(past_the_end, 1)) {
		set(me->outcome, "EOF");
		return;
	}
	*(volatile uint64_t *)mapping = word(kind_of(value));
	set(me->outcome, value);
	set(sh->acknowledged, value);
}

static void punch(void)
{
	struct stat status;
	if (fallocate(cached, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE))
		failed("fallocate");
	fstat(cached, &status);
	set(me->outcome, status.st_size > 0 ? "ZERO" : "EOF");
	set(sh->acknowledged, me->outcome);
}

static void sync_call(const char *call, int got)
{
	if (got && errno == EIO)
		set(me->outcome, "EIO");
	else if (got)
		failed(call);
}

static int is(const char *call, const char *name) { return !strcmp(call, name); }

static void begin(const char *value)
{
	set(me->floor, sh->acknowledged);
	if (value[0])
		set(me->wrote, value);
}

static void call(const char *name, const char *value)
{
	static char latched[12];
	if (is(name, "pread")) {
		begin("");
		take(name, pread(cached, buffer, PAGE, 0));
	} else if (is(name, "pread_direct")) {
		begin("");
		take(name, pread(direct, buffer, PAGE, 0));
	} else if (is(name, "pwrite") || is(name, "pwrite_direct")) {
		fill(source, kind_of(value));
		begin(value);
		acknowledge(name, pwrite(is(name, "pwrite") ? cached : direct, source, PAGE, 0), value);
	} else if (is(name, "io_submit_pread")) {
		begin("");
		submit(IOCB_CMD_PREAD, buffer);
	} else if (is(name, "io_submit_pwrite")) {
		fill(source, kind_of(value));
		set(latched, value);
		begin(value);
		submit(IOCB_CMD_PWRITE, source);
	} else if (is(name, "io_getevents")) {
		reap(latched);
	} else if (is(name, "mmap_load")) {
		begin("");
		load();
	} else if (is(name, "mmap_store")) {
		begin(value);
		store(value);
	} else if (is(name, "punch_hole")) {
		begin("ZERO");
		punch();
	} else if (is(name, "truncate")) {
		begin("EOF");
		if (ftruncate(cached, 0))
			failed(name);
		set(me->outcome, "EOF");
		set(sh->acknowledged, "EOF");
	} else if (is(name, "readahead")) {
		readahead(cached, 0, PAGE);
	} else if (is(name, "fsync")) {
		sync_call(name, fsync(cached));
	} else if (is(name, "msync")) {
		sync_call(name, msync(mapping, PAGE, MS_SYNC));
	} else if (is(name, "sync_file_range")) {
		sync_file_range(cached, 0, PAGE, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	} else if (is(name, "writeback")) {
		sync_file_range(cached, 0, PAGE, SYNC_FILE_RANGE_WRITE);
	}
}

static void prepare(void)
{
	cached = open(sh->file, O_RDWR);
	direct = open(sh->file, O_RDWR | O_DIRECT);
	memset(buffer, 0x3f, PAGE);
	if (cached < 0 || direct < 0)
		failed("open");
	mapping = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, cached, 0);
}

static void work(int number)
{
	me = &sh->worker[number];
	pin(number + 1);
	signal(SIGBUS, sigbus);
	buffer = aligned_alloc(PAGE, PAGE);
	source = aligned_alloc(PAGE, PAGE);
	memset(source, 0, PAGE);
	memset(buffer, 0, PAGE);
	syscall(SYS_io_setup, 4, &context);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0);
	mlockall(MCL_CURRENT);
	for (char byte; read(go[number][0], &byte, 1) == 1;) {
		if (byte == 'p') {
			prepare();
			me->ready = 1;
			write(bell[1], "p", 1);
			continue;
		}
		if (byte == 's') { /* where its kernel stack is, the host sees at this call's gate */
			syscall(SYS_getppid);
		} else {
			char text[PROGRAM], *rest = text, *one;
			strcpy(text, me->program);
			while ((one = strsep(&rest, ","))) {
				char *value = strchr(one, ':');
				if (value)
					*value++ = 0;
				call(one, value ?: "");
			}
			me->passed = controls[number].count; /* what closing the files passes is not the calls' */
			controls[number].target = 0;
			munmap(mapping, PAGE);
			close(cached);
			close(direct);
		}
		me->ended = 1;
		write(bell[1], "e", 1);
	}
	_exit(0);
}

#include "schedule.c"
#include "init.c"
