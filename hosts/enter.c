// SPDX-License-Identifier: MIT
/*
 * enter.c - run a command where KVM is: here, or in an emulated machine.
 *
 *   enter [HOST[,KEY=VALUE...]] COMMAND [ARGUMENT...]
 *   enter --resolve [HOST...]     the kind of host that this would be, on stdout
 *
 * The command has the same files, folder, environment and terminals as here, and its exit
 * status is enter's. Where an emulated machine cannot be had: status 3 and one line.
 * Tested: tests/hosts/
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "beside.h"
#include "host_spec.h"
#include "kvm_usable.h"
#include "emulator.h"
#include "relay.h"

#define EXIT_USAGE   2
#define EXIT_HOST    3
#define EXIT_GUEST   4
#define EXIT_RESULTS 5

/* A machine that has not begun the command is started this often. */
#define TRIES 3

static const char *g_name;              /* as whom we speak: enter, or vmm, which calls it */

static void say(const char *words, const char *more)
{
	fprintf(stderr, "%s: %s%s\n", g_name, words, more);
}

static int usage(const char *complaint)
{
	say("--on ", complaint);
	return EXIT_USAGE;
}

static const struct emulator_ops *emulator_ops_of(enum host_kind kind)
{
	return kind == HOST_INTEL ? &g_emulator_intel : &g_emulator_amd;
}

/* ---- the command, here ---- */

static int run_here(char **command)
{
	execvp(command[0], command);
	fprintf(stderr, "%s: %s: %s\n", g_name, command[0], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

/* ---- the initramfs of one run ---- */

static void request_fill(struct request *request, const struct host_spec *spec, char **command,
			 char *folder)
{
	extern char **environ;

	*request = (struct request){
		.host = host_kind_name(spec->kind),
		.folder = folder,
		.command = command,
		.environment = environ,
		.terminal = { false, isatty(STDOUT_FILENO) == 1, isatty(STDERR_FILENO) == 1 },
		.mask = umask(0),
	};
	umask(request->mask);
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &request->size) != 0)
		(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &request->size);
	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		getrlimit((__rlimit_resource_t)i, &request->limits[i]);
}

static int request_add(const struct request *request, struct archive *archive)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);
	int error = -ENOMEM;

	if (file == NULL)
		return -errno;
	request_write(request, file);
	if (fclose(file) == 0) {
		archive_bytes(archive, REQUEST_FILE, 0600, text, bytes);
		error = 0;
	}
	free(text);
	return error;
}

static int initramfs_fill(struct emulator *machine, const struct emulator_ops *ops,
			  const struct request *request, struct archive *archive)
{
	static const char *const folders[] = { "dev", "proc", "sys", "root" };
	char agent[PATH_MAX];
	int error = beside_this("agent", agent, sizeof(agent));

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		archive_folder(archive, folders[i]);
	if (error == 0)
		error = archive_file(archive, "init", 0755, agent);
	if (error != 0)
		snprintf(machine->complaint, sizeof(machine->complaint), "%.400s: %s", agent,
			 strerror(-error));
	if (error == 0)
		error = kernel_add_modules(&machine->kernel, request->modules, archive,
					   machine->complaint, sizeof(machine->complaint));
	if (error == 0 && ops->add_files != NULL)
		error = ops->add_files(machine, request, archive);
	if (error == 0)
		error = request_add(request, archive);
	return error;
}

static int initramfs_make(struct emulator *machine, const struct emulator_ops *ops, char **command)
{
	char folder[PATH_MAX];
	struct request request;
	struct archive archive;
	int memory = memfd_create("initramfs", MFD_CLOEXEC);
	int error, file;

	if (memory < 0 || getcwd(folder, sizeof(folder)) == NULL ||
	    archive_begin(&archive, memory) != 0) {
		snprintf(machine->complaint, sizeof(machine->complaint), "%s", strerror(errno));
		return -errno;
	}
	request_fill(&request, machine->spec, command, folder);
	ops->prepare(machine, &request);
	error = initramfs_fill(machine, ops, &request, &archive);
	file = archive_end(&archive);
	if (error == 0 && file < 0) {
		error = file;
		snprintf(machine->complaint, sizeof(machine->complaint), "initramfs: %s",
			 strerror(-error));
	}
	machine->initramfs = file;
	return error;
}

/* ---- the machine ---- */

static void machine_stop(struct emulator *machine)
{
	child_stop(&machine->program);
	child_stop(&machine->files);
	if (machine->orders >= 0 && machine->orders != machine->line)
		close(machine->orders);
	if (machine->line >= 0)
		close(machine->line);
	machine->line = machine->orders = -1;
}

/* Whoever of the machine's parts has said something last. */
static void machine_last_words(const struct emulator *machine, char *line, size_t bytes)
{
	const int speakers[] = {
		machine->console, machine->files.words, machine->program.words,
	};

	*line = '\0';
	for (size_t i = 0; i < sizeof(speakers) / sizeof(speakers[0]) && *line == '\0'; i++) {
		child_words(speakers[i], "Kernel panic", line, bytes);
		/* What virtiofsd says whenever QEMU has ended. */
		if (strstr(line, "virtio_loop: Exit") != NULL)
			*line = '\0';
	}
}

/* What its program says of itself that a reader of the results has to know. */
static void machine_note(const struct emulator *machine)
{
	char words[256];

	child_words(machine->program.words, "note: ", words, sizeof(words));
	if (strncmp(words, "note: ", strlen("note: ")) == 0)
		say(words, "");
}

/* As the command has ended. */
static int end_as(uint32_t status)
{
	if (WIFSIGNALED(status)) {
		const struct rlimit none = { 0, 0 };
		sigset_t signals;

		setrlimit(RLIMIT_CORE, &none);
		signal(WTERMSIG(status), SIG_DFL);
		sigfillset(&signals);
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
		raise(WTERMSIG(status));
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int lost(const struct emulator *machine, const struct emulator_ops *ops,
		const struct relay_result *result, const char *next)
{
	char words[256];

	machine_last_words(machine, words, sizeof(words));
	if (result->end == RELAY_SILENT)
		fprintf(stderr, "%s: %s has shown no sign of life for %u s%s\n", g_name, ops->name,
			result->status, next);
	else
		fprintf(stderr, "%s: %s has ended%s%s%s\n", g_name, ops->name,
			words[0] == '\0' ? "" : ": ", words, next);
	return EXIT_HOST;
}

static int ended(struct emulator *machine, const struct relay_result *result)
{
	/* A status of waitpid(): by this signal. */
	if (result->end == RELAY_SIGNALLED)
		return end_as(result->status);
	if (result->end == RELAY_CANNOT) {
		say(result->words, "");
		return EXIT_HOST;
	}
	if (result->files_error != 0) {
		say("what was written did not come back: ", machine->complaint);
		/* A wrong verdict and a guest that failed are worse. */
		if (WIFEXITED(result->status) && (WEXITSTATUS(result->status) == 1 ||
						  WEXITSTATUS(result->status) == EXIT_GUEST))
			return WEXITSTATUS(result->status);
		return EXIT_RESULTS;
	}
	return end_as(result->status);
}

static int run_there(struct emulator *machine, const struct emulator_ops *ops, int signals)
{
	struct relay_result result;

	for (int try = 1;; try++) {
		machine->console = memfd_create("console", MFD_CLOEXEC);
		if (machine->console < 0 || ops->start(machine) != 0) {
			machine_stop(machine);
			say(machine->complaint, "");
			return EXIT_HOST;
		}
		relay_run(machine, ops, signals, &result);
		machine_stop(machine);
		machine_note(machine);
		if (result.end != RELAY_SILENT && result.end != RELAY_GONE)
			return ended(machine, &result);
		if (result.begun)
			return lost(machine, ops, &result,
				    ops->take_files != NULL ? "; what the command wrote is lost" :
				    "; what was written until then is in place");
		if (try == TRIES)
			return lost(machine, ops, &result, "; given up");
		(void)lost(machine, ops, &result, "; starting it again");
		close(machine->console);
	}
}

static int run_emulated(const struct host_spec *spec, char **command, const char *reason)
{
	const struct emulator_ops *ops = emulator_ops_of(spec->kind);
	struct emulator machine = { .spec = spec, .initramfs = -1, .line = -1,
				    .orders = -1, .returned = -1, .console = -1 };
	sigset_t signals;

	if (ops->check(&machine) != 0 ||
	    kernel_find(&machine.kernel, machine.complaint, sizeof(machine.complaint)) != 0) {
		fprintf(stderr, "%s: %s%sno %s: %s; `./run vmm` in the source tree installs it\n",
			g_name, reason, *reason == '\0' ? "" : "; and ", ops->name + 3,
			machine.complaint);
		return EXIT_HOST;
	}
	if (*reason != '\0')
		fprintf(stderr, "%s: %s: running in %s instead\n", g_name,
			reason, ops->name);
	relay_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (initramfs_make(&machine, ops, command) != 0) {
		say(machine.complaint, "");
		return EXIT_HOST;
	}
	return run_there(&machine, ops, signalfd(-1, &signals, SFD_CLOEXEC));
}

/* ---- which host ---- */

/* Inside a machine this is the machine asked for, or a mistake. */
static int run_inside(const char *inside, enum host_kind kind, char **command)
{
	if (kind == HOST_AUTO || kind == HOST_KVM || strcmp(host_kind_name(kind), inside) == 0)
		return run_here(command);
	fprintf(stderr, "%s: --on %s: this is inside an emulated %s machine already\n", g_name,
		host_kind_name(kind), inside);
	return EXIT_USAGE;
}

static int run_on(struct host_spec *spec, char **command, bool only_resolve)
{
	char reason[512] = "";
	int kvm;

	if (spec->kind == HOST_AUTO || spec->kind == HOST_KVM) {
		kvm = kvm_usable(reason, sizeof(reason));
		if (kvm >= 0)
			close(kvm);
		else if (spec->kind == HOST_AUTO)
			spec->kind = HOST_AMD;
		if (kvm >= 0)
			spec->kind = HOST_KVM;
	}
	if (only_resolve) {
		puts(host_kind_name(spec->kind));
		return fflush(stdout) == 0 ? 0 : EXIT_RESULTS;
	}
	if (spec->kind != HOST_KVM)
		return run_emulated(spec, command, reason);
	if (*reason != '\0') {
		say(reason, "");
		return EXIT_HOST;
	}
	return run_here(command);
}

int main(int argc, char **argv)
{
	const char *inside = getenv(HOST_VARIABLE);
	bool only_resolve = argc > 1 && strcmp(argv[1], "--resolve") == 0;
	char complaint[COMPLAINT_BYTES];
	struct host_spec spec;
	const char *text;

	g_name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
	argv += only_resolve ? 2 : 1;
	argc -= only_resolve ? 2 : 1;
	text = argc > 0 ? argv[0] : "auto";
	if (!only_resolve && argc < 2) {
		fprintf(stderr, "usage: %s HOST[,KEY=VALUE...] COMMAND [ARGUMENT...]\n", g_name);
		return EXIT_USAGE;
	}
	if (host_spec_parse(text, &spec, complaint, sizeof(complaint)) != 0)
		return usage(complaint);
	if (inside != NULL && !only_resolve)
		return run_inside(inside, spec.kind, argv + 1);
	return run_on(&spec, argv + 1, only_resolve);
}
