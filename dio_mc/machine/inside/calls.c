/*
 * The calls that threads make, and what is recorded of each. Included by guest.c.
 *
 * The names are those of dio_mc/machine/programs.py. A store through a mapping writes one word; "half" is the first
 * 2048 bytes of the page, "rest" the others.
 */

static sigjmp_buf past_the_end;
static void sigbus(int number) { siglongjmp(past_the_end, number); }

static struct worker *me;
static int cached, direct, spare;
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

static void take(const char *call, long got, const char *page)
{
	const char *value = read_is(got, page);
	if (value)
		result(value);
	else
		failed(call);
}

static void acknowledge(const char *call, long got, long size, const char *value)
{
	if (got == size) {
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
		take("io_getevents", got, buffer);
	} else {
		set(me->earlier, me->outcome);
		acknowledge("io_getevents", got, PAGE, value);
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

static void range_call(const char *call, int got, const char *value)
{
	if (got)
		failed(call);
	set(me->outcome, value);
	set(sh->acknowledged, value);
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
		take(name, pread(cached, buffer, PAGE, 0), buffer);
	} else if (is(name, "pread_direct")) {
		begin("");
		take(name, pread(direct, buffer, PAGE, 0), buffer);
	} else if (is(name, "pread_direct_own")) {
		begin("");
		take(name, pread(direct, mapping, PAGE, 0), mapping);
	} else if (is(name, "pread_direct_other")) {
		begin("");
		take(name, pread(spare, mapping, PAGE, 0), buffer);
	} else if (is(name, "pwrite") || is(name, "pwrite_direct")) {
		fill(source, kind_of(value));
		begin(value);
		acknowledge(name, pwrite(is(name, "pwrite") ? cached : direct, source, PAGE, 0), PAGE, value);
	} else if (is(name, "pwrite_direct_shared")) {
		fill(shared_page, kind_of(value));
		begin(value);
		acknowledge(name, pwrite(direct, shared_page, PAGE, 0), PAGE, value);
	} else if (is(name, "change_shared")) {
		fill(shared_page, kind_of(value));
	} else if (is(name, "pwrite_beyond")) {
		fill(source, kind_of(value));
		begin(value);
		acknowledge(name, pwrite(cached, source, PAGE, 2 * PAGE), PAGE, value);
	} else if (is(name, "pwrite_half") || is(name, "pwrite_direct_half") || is(name, "pwrite_direct_rest")) {
		int at = is(name, "pwrite_direct_rest") ? PAGE / 2 : 0, fd = is(name, "pwrite_half") ? cached : direct;
		fill(source, kind_of(value));
		begin(value);
		acknowledge(name, pwrite(fd, source, PAGE / 2, at), PAGE / 2, value);
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
	} else if (is(name, "zeroout")) {
		uint64_t range[] = { 0, PAGE };
		begin("ZERO");
		range_call(name, ioctl(cached, BLKZEROOUT, range), "ZERO");
	} else if (is(name, "zero_range")) {
		begin("ZERO");
		range_call(name, fallocate(cached, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, PAGE), "ZERO");
	} else if (is(name, "fallocate")) {
		if (fallocate(cached, 0, 0, PAGE / 2))
			failed(name);
	} else if (is(name, "reclaim")) {
		struct iovec page = { sh->worker[0].mapping, PAGE };
		int process = syscall(SYS_pidfd_open, pid[0], 0);
		syscall(SYS_process_madvise, process, &page, 1, MADV_PAGEOUT, 0); /* fails if that thread has ended */
		close(process);
	} else if (is(name, "drop_cache")) {
		posix_fadvise(cached, 0, PAGE, POSIX_FADV_DONTNEED);
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
	} else {
		errno = ENOSYS;
		failed(name);
	}
}
