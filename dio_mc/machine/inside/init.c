/* init of a guest: modules, the port, requests. Included by guest.c. */

/* ---- requests ------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The addresses of a comma-separated list of names in /proc/kallsyms, including modules and compiler-made clones. */
static void symbols(int number, char *names)
{
	static char line[512], *wanted[1024], whole[256];
	int count = 0;
	for (char *one; count < 1024 && (one = strsep(&names, ","));)
		wanted[count++] = one;
	qsort(wanted, count, sizeof *wanted, by_name);
	FILE *all = fopen("/proc/kallsyms", "r");
	while (all && fgets(line, sizeof line, all)) {
		char *rest = line, *address = strsep(&rest, " "), *type = strsep(&rest, " "), *name = strsep(&rest, " \t\n");
		if (!name || !strchr("tTwW", type[0]))
			continue;
		snprintf(whole, sizeof whole, "%s", name);
		whole[strcspn(whole, ".")] = 0;
		char *key = whole;
		if (bsearch(&key, wanted, count, sizeof *wanted, by_name))
			say("* symbol %s %s", address, name);
	}
	if (all)
		fclose(all);
	say("%d ok", number);
}

static void mount_disk(int number, char *rest)
{
	char *type = strsep(&rest, " "), *options = rest && rest[0] && strcmp(rest, "-") ? rest : NULL;
	if (mount("/dev/vda", "/m", type, 0, options))
		say("%d error mount: %s", number, strerrorname_np(errno));
	else
		say("%d ok", number);
}

/* A thread that sleeps on a worker's CPU, and does nothing when it wakes. */
static void stand_by(int number)
{
	char byte;
	if (!host)
		pin(number + 1);
	while (read(nudge[number][0], &byte, 1) == 1)
		;
	_exit(0);
}

static void spawn(int number, int count)
{
	for (workers = 0; workers < count && workers < MAX; workers++) {
		pipe(nudge[workers]);
		if (!child())
			stand_by(workers);
		pipe(go[workers]);
		if (!(pid[workers] = child()))
			work(workers);
	}
	say("%d ok %d", number, workers);
}

/* Make one harmless call, at which the host locates the thread's kernel stack. */
static void show_stack(int number, int which)
{
	sh->worker[which].ended = 0;
	write(go[which][1], "s", 1);
	wait_for_bell();
	say("%d ok", number);
}

/* Return the code of gates, which calls the kernel's cond_resched at this address (0: none). */
static void tell_code(int number, char *resched)
{
	for (int i = 0; i < MAX; i++)
		controls[i].resched = strtoull(resched, NULL, 16);
	char text[1024] = "";
	for (const unsigned char *at = gate_code; at < gate_code_end; at++)
		sprintf(text + strlen(text), "%02x", *at);
	say("%d ok %s %llu %zu", number, text, (unsigned long long)(uintptr_t)controls, sizeof *controls);
}

/* Run another program of the initramfs to its end; its output goes to the console. */
static void execute(int number, char *rest)
{
	char *list[16] = { NULL };
	int status = 0, count = 0;
	for (char *one; count < 15 && (one = strsep(&rest, " "));)
		list[count++] = one;
	pid_t child = fork();
	if (!child) {
		execv(list[0], list);
		_exit(127);
	}
	waitpid(child, &status, 0);
	say("%d ok %d", number, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void request_is(char *line)
{
	char *rest = line;
	int number = atoi(strsep(&rest, " "));
	char *name = strsep(&rest, " ");
	int which = rest ? atoi(rest) : 0;
	if (is(name, "symbols"))
		symbols(number, rest);
	else if (is(name, "mount"))
		mount_disk(number, rest);
	else if (is(name, "spawn"))
		spawn(number, which);
	else if (is(name, "code"))
		tell_code(number, rest);
	else if (is(name, "stack"))
		show_stack(number, which);
	else if (is(name, "exec"))
		execute(number, rest);
	else if (is(name, "run"))
		run(number, rest);
	else if (is(name, "put")) {
		char *path = strsep(&rest, " ");
		say("%d %s", number, put(path, rest) ? "ok" : "error cannot be set");
	} else
		say("%d error unknown request", number);
}

static void requests(void)
{
	static char buffer[65536];
	static int size;
	int some = read(port, buffer + size, sizeof buffer - 1 - size);
	if (some <= 0)
		end();
	buffer[size += some] = 0;
	for (char *end; (end = memchr(buffer, '\n', size));) {
		*end++ = 0;
		request_is(buffer);
		size -= end - buffer;
		memmove(buffer, end, size + 1);
	}
}

static void load_modules(void)
{
	char list[4096], *rest = list, *name, path[128];
	get("/modules", list, sizeof list);
	while ((name = strsep(&rest, "\n"))) {
		if (!name[0])
			continue;
		snprintf(path, sizeof path, "/lib/%s", name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)) {
			snprintf(failures, sizeof failures, "%s: %s", name, strerrorname_np(errno));
			printf("dio-mc: module %s\n", failures);
		}
		close(fd);
	}
}

/* The port's name contains its device's number on the bus, which depends on the order of discovery. */
static void open_port(void)
{
	char path[32];
	for (int i = 0; i < 4000 && port < 0; i++) {
		snprintf(path, sizeof path, "/dev/vport%dp1", i % 4);
		port = open(path, O_RDWR);
		if (port < 0 && i % 4 == 3)
			usleep(10000);
	}
}

static void become_init(void)
{
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	lseek(kernel_log, 0, SEEK_END);
	int console = open("/dev/console", O_WRONLY);
	dup2(console, 1);
	dup2(console, 2);
	setvbuf(stdout, NULL, _IONBF, 0);
	pin(0);
	load_modules();
	open_port();
	if (port < 0) {
		printf("dio-mc: no port: %s\n", strerrorname_np(errno));
		end();
	}
}

int main(int count, char **list)
{
	if (count == 4 && is(list[1], "host")) {
		host = 1;
		port = atoi(list[2]);
		folder = list[3];
	} else if (getpid() == 1) {
		become_init();
	} else {
		fprintf(stderr, "this is the init of a guest of dio-mc\n");
		return 2;
	}
	sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mmap(controls, MAX * sizeof *controls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	shared_page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pipe2(bell, O_NONBLOCK);
	say("* up %s", failures[0] ? failures : "-");
	failures[0] = 0;
	for (;;)
		requests();
}
