/*
 * The only program of a guest: init, and the threads of a workload. Run as `guest host PORT FOLDER` it does the same on
 * a shared kernel: without gates and privileges, with files in FOLDER and requests on the file descriptor PORT.
 *
 * As init it loads the modules listed in /modules, opens the virtio-serial port of the host, and answers requests, one
 * per line: "NUMBER WORD ARGUMENTS", answered by "NUMBER ok ..." or "NUMBER error ...". The protocol is described in
 * dio_mc/machine/channel.py. gate.c holds threads, calls.c has the calls, schedule.c runs a schedule.
 *
 * A thread of a workload is a process of its own, pinned to a CPU of its own; init and everything else stay on CPU 0.
 * It makes only its system calls, with everything they need prepared in advance, so that every gate passed on its CPU,
 * on its kernel stack, belongs to a call. The results are recorded as in the models' system calls
 * (models/protocols/syscalls.py): the last result and the one before, what had been acknowledged when the last call
 * began, what it was to write.
 *
 * Every 64-bit word that is written contains the number of the schedule, which distinguishes it from data of an earlier
 * file: such data is "STALE", as is the pattern that the disk was filled with.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MAX = 6, PROGRAM = 256 };

struct worker { /* shared between init and a worker */
	char program[PROGRAM], outcome[12], earlier[12], floor[12], wrote[12], failed[64];
	volatile int ended, ready;
	void *mapping;
	volatile uint64_t passed;
};
struct shared { struct worker worker[MAX]; char acknowledged[12], file[512]; uint64_t schedule; };

static struct shared *sh;
static int port = -1, bell[2], go[MAX][2], nudge[MAX][2];
static pid_t pid[MAX];
static int workers;
static const char *folder = "/m"; /* the folder of the files */
static char *shared_page;         /* a buffer shared by all threads */
static int host;                  /* running on a shared kernel, not as init of a guest */

/* Start the process of a thread; on a shared kernel it must not outlive the program. */
static pid_t child(void)
{
	pid_t made = fork();
	if (!made && host)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return made;
}

/* The host has closed the connection. */
static void end(void)
{
	if (!host && getpid() == 1)
		reboot(RB_POWER_OFF);
	_exit(0);
}

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
			end();
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

/* A store through a mapping writes only the first word, so that it is one step; the rest must be of the same file. */
static const char *page_is(const char *page)
{
	for (int i = 1; i < PAGE / 8; i++)
		if (!strcmp(word_is(((const uint64_t *)page)[i]), "STALE"))
			return "STALE";
	return word_is(*(const uint64_t *)page);
}

/* The second half of the page, judged by one word of it. */
static const char *rest_is(long got, const char *page)
{
	return got == PAGE ? word_is(((const uint64_t *)page)[PAGE / 16]) : "EOF";
}

static const char *read_is(long got, const char *page)
{
	if (got == PAGE)
		return page_is(page);
	return got >= 0 ? "EOF" : errno == EIO ? "EIO" : NULL; /* a short read ends at EOF within the page */
}

/* ---- the threads of a workload ------------------------------------------------------------------------------- */

#include "calls.c"

static void prepare(void)
{
	cached = open(sh->file, O_RDWR);
	direct = open(sh->file, O_RDWR | O_DIRECT);
	memset(buffer, 0x3f, PAGE);
	if (cached < 0 || direct < 0)
		failed("open");
	me->mapping = mapping = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, cached, 0);
}

static void work(int number)
{
	me = &sh->worker[number];
	pin(host ? number % sysconf(_SC_NPROCESSORS_ONLN) : number + 1);
	signal(SIGBUS, sigbus);
	buffer = aligned_alloc(PAGE, PAGE);
	source = aligned_alloc(PAGE, PAGE);
	memset(source, 0, PAGE);
	memset(buffer, 0, PAGE);
	spare = host ? -1 : open("/dev/vdb", O_RDONLY | O_DIRECT);
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
		if (byte == 's') { /* the host locates the kernel stack at this call's gate */
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
			me->passed = controls[number].count; /* gates passed while closing the files do not count */
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
