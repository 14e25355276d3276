/*
 * Running one schedule: a new file, which thread runs until when, and the result. Included by guest.c.
 *
 *     run FLAGS LAYOUT PROGRAM... / SEGMENT...
 *
 * FLAGS: "-", or "p" to report the gates that were passed, "s" to start all threads at once. A SEGMENT is THREAD, or
 * THREAD@ADDRESS#NTH: until it reaches that gate for the nth time. The answer is a list of
 *
 *     f=CACHED,MEDIA,REPORTED                   the file, through the cache and without it; whether fsync returned EIO
 *     r=CACHED,MEDIA                            the second half of its page
 *     w=PLACE                                   where the kernel has warned of a bug of its own
 *     t=EARLIER,OUTCOME,FLOOR,WROTE,FAILED      each thread, in order
 *     b=SEGMENT,THREAD,STACK                    a thread that waited in a segment
 *     m=SEGMENT                                 a segment whose gate was never reached
 *     s=THREAD,STACK                            a thread that never ended
 *     p=THREAD,ADDRESS,...                      gates passed
 */

enum { READY_FILES = 32, SEGMENTS = 16, QUIET = 8, ALERT = 200, NEVER = 10 };
enum outcome { ENDED, HELD, BLOCKED };

static struct { int next, count; } stock[4];
static int file = -1, files, begun[MAX], kernel_log = -1;
static char failures[1024], answer[7000];

static void add(const char *format, ...)
{
	va_list list;
	int at = strlen(answer);
	va_start(list, format);
	vsnprintf(answer + at, sizeof answer - at, format, list);
	va_end(list);
}

/* ---- blocked threads ----------------------------------------------------------------------------------------- */

static char state_of(pid_t process, unsigned long long *switches)
{
	char path[64], text[4096], *at;
	snprintf(path, sizeof path, "/proc/%d/status", process);
	get(path, text, sizeof text);
	*switches = 0;
	for (at = text; (at = strstr(at, "ctxt_switches:")); at += 14)
		*switches += strtoull(at + 14, NULL, 10);
	at = strstr(text, "State:");
	return at ? at[7] : '?';
}

static int running(void)
{
	char text[16384], *at;
	int fd = open("/proc/stat", O_RDONLY), size = 0, some;
	while (fd >= 0 && (some = read(fd, text + size, sizeof text - 1 - size)) > 0)
		size += some;
	close(fd);
	text[size > 0 ? size : 0] = 0;
	at = strstr(text, "procs_running");
	return at ? atoi(at + 13) : -1;
}

static int in_flight(void)
{
	char text[64] = "";
	unsigned reads = 0, writes = 0;
	get("/sys/block/vda/inflight", text, sizeof text);
	sscanf(text, "%u %u", &reads, &writes);
	return reads + writes;
}

static void stack_of(pid_t process, char *out, int size)
{
	char path[64], text[8192], *rest = text, *line;
	snprintf(path, sizeof path, "/proc/%d/stack", process);
	get(path, text, sizeof text);
	out[0] = 0;
	while ((line = strsep(&rest, "\n"))) {
		char *name = strstr(line, "] "), *end;
		if (!name)
			continue;
		name += 2;
		if ((end = strpbrk(name, "+ ")))
			*end = 0;
		if ((int)(strlen(out) + strlen(name) + 2) < size)
			sprintf(out + strlen(out), "%s%s", out[0] ? "<" : "", name);
	}
}

static int others_held(void)
{
	int held = 0;
	for (int i = 0; i < workers; i++)
		held += controls[i].held != 0;
	return held;
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void wait_for_bell(void)
{
	char byte;
	struct pollfd one = { bell[0], POLLIN, 0 };
	while (read(bell[0], &byte, 1) != 1)
		poll(&one, 1, -1);
}

/*
 * Wait until a thread has ended, is at its gate, or is blocked: it sleeps, only held threads are runnable, and no IO is
 * in flight, so that only a timer could wake it. This is checked several times within some milliseconds, and the thread
 * must not have run in between. A thread that runs for NEVER seconds is reported like one that waits. A thread that
 * spins because the owner of a lock appears to be running (rwsem_optimistic_spin, mutex_optimistic_spin: the owner is
 * held) goes to sleep when another thread needs its CPU.
 */
static enum outcome wait_for(int which, char *stack, int size)
{
	unsigned long long before = 0, switches;
	double deadline = now() + NEVER;
	for (int round = 0, quiet = 0; quiet < QUIET; round++) {
		if (sh->worker[which].ended)
			return ENDED;
		if (controls[which].held)
			return HELD;
		struct pollfd one = { bell[0], POLLIN, 0 };
		struct timespec pause = { 0, round < ALERT ? 100000 : 1000000 };
		if (ppoll(&one, 1, &pause, NULL) > 0) {
			char bytes[16];
			read(bell[0], bytes, sizeof bytes);
			continue;
		}
		if (round % 8)
			continue;
		char state = state_of(pid[which], &switches);
		if (state == 'R' && others_held() && round % 64 == 32)
			write(nudge[which][1], "n", 1);
		int calm = (state == 'S' || state == 'D') && running() <= 1 + others_held() && !in_flight();
		quiet = calm && switches == before ? quiet + 1 : 0;
		before = switches;
		if (now() > deadline) {
			snprintf(stack, size, "(runs)");
			return BLOCKED;
		}
	}
	if (sh->worker[which].ended)
		return ENDED;
	stack_of(pid[which], stack, size);
	return BLOCKED;
}

/* ---- files --------------------------------------------------------------------------------------------------- */

static void lay_out(const char *path, char layout)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644), good = fd >= 0;
	static char *page;
	page = page ?: aligned_alloc(PAGE, PAGE);
	fill(page, 'O');
	if (layout == 'h')
		good &= !ftruncate(fd, PAGE);
	if (layout == 'p' || layout == 'd')
		good &= !fallocate(fd, 0, 0, PAGE);
	if (layout == 'w')
		good &= pwrite(fd, page, PAGE, 0) == PAGE;
	if (!good)
		snprintf(failures, sizeof failures, "a file cannot be made: %s", strerrorname_np(errno) ?: "?");
	close(fd);
}

/* A file has the number of its schedule, which marks its first data. */
static int next_file(char layout)
{
	int which = layout == 'h' ? 0 : layout == 'w' ? 1 : layout == 'e' ? 2 : 3, fd;
	char path[512];
	if (stock[which].count == 0) {
		stock[which].next = files + 1;
		for (int i = 0; i < READY_FILES && !failures[0]; i++) {
			sh->schedule = ++files;
			snprintf(path, sizeof path, "%s/%d", folder, files);
			lay_out(path, layout);
		}
		if ((fd = open(folder, O_RDONLY)) >= 0) {
			syncfs(fd);
			close(fd);
		}
		stock[which].count = READY_FILES;
	}
	stock[which].count--;
	return stock[which].next++;
}

/* The content of the file: first through the cache, then after fsync and without the cache. */
static void look(void)
{
	static char *page;
	page = page ?: aligned_alloc(PAGE, PAGE);
	memset(page, 0x3f, PAGE);
	long got = pread(file, page, PAGE, 0);
	const char *through_cache = read_is(got, page) ?: "EIO", *rest = rest_is(got, page);
	int reported = fsync(file) && errno == EIO;
	posix_fadvise(file, 0, PAGE, POSIX_FADV_DONTNEED);
	int fd = open(sh->file, O_RDONLY | O_DIRECT);
	memset(page, 0x3f, PAGE);
	got = pread(fd, page, PAGE, 0);
	const char *media = read_is(got, page) ?: "EIO", *media_rest = rest_is(got, page);
	close(fd);
	add(" f=%s,%s,%d r=%s,%s", through_cache, media, reported, rest, media_rest);
	for (int i = 0; i < workers && sh->worker[i].program[0]; i++) {
		struct worker *one = &sh->worker[i];
		add(" t=%s,%s,%s,%s,%s", one->earlier, one->outcome, one->floor, one->wrote, one->failed);
	}
}

/* Places where the kernel has warned since the last schedule; each may warn again (reset through debugfs). */
static void warnings(void)
{
	char record[1024], *at;
	int some;
	while (kernel_log >= 0 && (some = read(kernel_log, record, sizeof record - 1)) > 0) {
		record[some] = 0;
		record[strcspn(record, "\n")] = 0;
		if (!(at = strstr(record, "WARNING: ")) || !(at = strstr(at, " at ")))
			continue;
		at += 4;
		at[strcspn(at, "+")] = 0;
		for (char *c = at; *c; c++)
			*c = strchr(" ,=", *c) ? '-' : *c;
		add(" w=%s", at);
		put("/sys/kernel/debug/clear_warn_once", "1");
	}
}

/* ---- a schedule ---------------------------------------------------------------------------------------------- */

/* "d" leaves the data of a preallocated page in the cache; "b" is the second disk itself. */
static void open_file(char layout)
{
	static char *page;
	page = page ?: aligned_alloc(PAGE, PAGE);
	if (layout == 'b' && !host) {
		sh->schedule = ++files;
		strcpy(sh->file, "/dev/vdb");
		file = open(sh->file, O_RDWR);
		fill(page, 'O');
		pwrite(file, page, PAGE, 0);
		fsync(file);
	} else {
		sh->schedule = next_file(layout);
		snprintf(sh->file, sizeof sh->file, "%s/%llu", folder, (unsigned long long)sh->schedule);
		file = open(sh->file, O_RDWR);
	}
	posix_fadvise(file, 0, PAGE, POSIX_FADV_DONTNEED);
	fill(page, 'O');
	if (layout == 'd')
		pwrite(file, page, PAGE, 0);
}

static int prepare_all(char layout, char **rest)
{
	char *program;
	int count = 0;
	open_file(layout);
	strcpy(sh->acknowledged, "NOTHING");
	while ((program = strsep(rest, " ")) && program[0] != '/' && count < workers) {
		struct worker *one = &sh->worker[count];
		memset(one, 0, sizeof *one);
		strncpy(one->program, program, PROGRAM - 1);
		strcpy(one->outcome, "NOTHING");
		strcpy(one->earlier, "NOTHING");
		strcpy(one->floor, "NOTHING");
		strcpy(one->wrote, "NOTHING");
		begun[count] = 0;
		write(go[count++][1], "p", 1);
	}
	for (int i = 0; i < count; i++)
		while (!sh->worker[i].ready)
			wait_for_bell();
	for (int i = 0; i < count; i++)
		controls[i].count = controls[i].target = 0;
	return count;
}

static void let_go(int which)
{
	if (controls[which].held) {
		release(which);
	} else if (!begun[which]) {
		begun[which] = 1;
		write(go[which][1], "g", 1);
	}
}

static void segment(int number, char *text)
{
	char stack[1024], *at = strsep(&text, "@"), *address = strsep(&text, "#");
	int which = atoi(at);
	if (!sh->worker[which].ended) {
		controls[which].nth = text ? strtoull(text, NULL, 10) : 1;
		controls[which].target = address ? strtoull(address, NULL, 16) : 0;
		let_go(which);
		enum outcome outcome = wait_for(which, stack, sizeof stack);
		if (outcome == HELD)
			return;
		controls[which].target = 0;
		if (outcome == BLOCKED)
			add(" b=%d,%d,%s", number, which, stack);
	}
	if (address)
		add(" m=%d", number);
}

/* Threads that are held, have not begun or wait continue, in turn, as long as one of them ends. */
static int all_end(int count)
{
	char stack[1024];
	int waiting = 1;
	for (int round = 0; round < 3 && waiting; round++) {
		waiting = 0;
		for (int i = 0; i < count; i++) {
			let_go(i);
			waiting += !sh->worker[i].ended && wait_for(i, stack, sizeof stack) != ENDED;
		}
	}
	for (int i = 0; i < count && waiting; i++)
		if (!sh->worker[i].ended) {
			wait_for(i, stack, sizeof stack);
			add(" s=%d,%s", i, stack);
		}
	return !waiting;
}

static void run(int number, char *rest)
{
	char *flags = strsep(&rest, " "), *layout = strsep(&rest, " "), *one;
	int count, at = 0;
	answer[0] = 0;
	count = prepare_all(layout[0], &rest);
	if (failures[0]) {
		say("%d error %s", number, failures);
		failures[0] = 0;
		return;
	}
	if (strchr(flags, 's'))
		for (int i = 0; i < count; i++)
			let_go(i);
	while ((one = strsep(&rest, " ")) && one[0])
		segment(at++, one);
	int over = all_end(count);
	if (over)
		look();
	warnings();
	for (int i = 0; i < count && strchr(flags, 'p'); i++) {
		add(" p=%d", i);
		for (unsigned g = 0; g < sh->worker[i].passed; g++)
			add(",%llx", (unsigned long long)controls[i].gates[g]);
	}
	if (over) { /* otherwise the file may stay locked, and this guest is not used again */
		close(file);
		if (layout[0] != 'b')
			unlink(sh->file);
	}
	say("%d ok%s", number, answer);
	for (int i = 0; i < workers; i++)
		sh->worker[i].program[0] = 0;
}
