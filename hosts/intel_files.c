// SPDX-License-Identifier: MIT
/* intel_files.c - what the command needs, in the root that it will see (intel.h). */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beside.h"
#include "carry.h"
#include "intel.h"

/* For a command that is not vmm itself. */
static const char *const g_tools[] = {
	"sh", "bash", "env", "python3", "awk", "grep", "sed", "find", "xargs", "mount", "umount",
	"taskset", "cmp", "diff", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "dd",
	"df", "dirname", "du", "echo", "expr", "false", "head", "id", "kill", "ln", "ls", "mkdir",
	"mkfifo", "mktemp", "mv", "nproc", "od", "printf", "ps", "pwd", "readlink", "realpath",
	"rm", "rmdir", "seq", "sha256sum", "sleep", "sort", "stat", "stty", "tail", "tee", "test",
	"timeout", "touch", "tr", "true", "truncate", "uname", "uniq", "wc",
};

/* Of the source tree with its build folder: not what built it. */
static const char *const g_not_built[] = {
	".git", "*.o", "*.a", "*.p", "kernel", "meson-private", ".ninja_*", "*_fuzz", "*.log", NULL,
};

/* Of Python's own library. */
static const char *const g_not_imported[] = {
	"test", "tests", "idlelib", "tkinter", "lib2to3", "ensurepip", "pydoc_data",
	"config-*", "dist-packages", "site-packages", "*.opt-?.pyc", NULL,
};

static int absolute(const char *folder, const char *word, char path[PATH_MAX])
{
	bool is = word[0] == '/';

	if (*word == '\0' || snprintf(path, PATH_MAX, "%s%s%s", is ? "" : folder, is ? "" : "/",
				       word) >= PATH_MAX)
		return -EINVAL;
	return 0;
}

static void word_carry(struct carry *carry, const char *folder, const char *word)
{
	char path[PATH_MAX];
	struct stat status;

	/* The folders above, also of what is yet to be written. */
	if (absolute(folder, word, path) == 0 && carry_file(carry, path) == 0 &&
	    stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0)
		(void)carry_program(carry, path);
}

static void folder_carry(struct carry *carry, const char *folder, const char *word)
{
	char path[PATH_MAX];
	size_t bytes;

	if (absolute(folder, word, path) != 0)
		return;
	for (bytes = strlen(path); bytes > 1 && path[bytes - 1] == '/';)
		path[--bytes] = '\0';
	*(strrchr(path, '/') + 1) = '\0';
	(void)carry_file(carry, path);
}

/* Where Python's own library is, as Python says. */
static int python_find(char *library, size_t bytes)
{
	FILE *said = popen("python3 -I -c 'import sysconfig; print(sysconfig.get_path(\"stdlib\"))'",
			   "r");

	if (said == NULL)
		return -errno;
	if (fgets(library, (int)bytes, said) == NULL)
		library[0] = '\0';
	library[strcspn(library, "\n")] = '\0';
	return pclose(said) == 0 && library[0] == '/' ? 0 : -ENOENT;
}

/* Python with its own library; of other people's packages, which are large, nothing. */
static void python_carry(struct carry *carry)
{
	char library[PATH_MAX], modules[PATH_MAX + 64];
	glob_t found;

	if (python_find(library, sizeof(library)) != 0)
		return;
	carry_tree(carry, library, g_not_imported);
	snprintf(modules, sizeof(modules), "%s/lib-dynload/*.so", library);
	if (glob(modules, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		(void)carry_program(carry, found.gl_pathv[i]);
	globfree(&found);
}

static void tools_carry(struct carry *carry)
{
	char tree[PATH_MAX], root[PATH_MAX];

	for (size_t i = 0; i < sizeof(g_tools) / sizeof(g_tools[0]); i++)
		(void)carry_program(carry, g_tools[i]);
	python_carry(carry);
	/* This program is BUILD/hosts/enter; BUILD is a folder of the source tree. */
	if (beside_this("../../meson.build", tree, sizeof(tree)) == 0 && access(tree, R_OK) == 0 &&
	    beside_this("../..", tree, sizeof(tree)) == 0 && realpath(tree, root) != NULL)
		carry_tree(carry, root, g_not_built);
}

bool intel_is_vmm(const char *name)
{
	char vmm[PATH_MAX];
	struct stat ours, theirs;

	return beside_this("../vmm", vmm, sizeof(vmm)) == 0 && stat(vmm, &ours) == 0 &&
	       stat(name, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

/* What vmm writes goes in by its folder's name alone: the same command does the same whatever
 * the last one has left there. */
static bool is_output(const char *word)
{
	static const char *const options[] = { "--out", "--csv", "--json", "--trace" };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strncmp(word, options[i], strlen(options[i])) == 0)
			return true;
	return false;
}

static void arguments_carry(struct carry *carry, const struct request *request)
{
	bool vmm = intel_is_vmm(request->command[0]);

	for (char **word = request->command + 1; *word != NULL; word++) {
		const char *value = strchr(*word, '=');
		bool output = vmm && is_output(*word);

		if (!output)
			word_carry(carry, request->folder, *word);
		if (value != NULL)
			(output ? folder_carry : word_carry)(carry, request->folder, value + 1);
		if (output && value == NULL && word[1] != NULL)
			folder_carry(carry, request->folder, *++word);
	}
}

int intel_add_files(struct emulator *machine, const struct request *request,
		    struct archive *archive)
{
	const char *program = request->command[0];
	struct carry carry;

	carry_begin(&carry, archive);
	(void)carry_file(&carry, request->folder);
	int error = carry_program(&carry, program);

	arguments_carry(&carry, request);
	if (error == 0 && !intel_is_vmm(program))
		tools_carry(&carry);
	carry_end(&carry);
	if (error != 0)
		snprintf(machine->complaint, sizeof(machine->complaint), "%.300s: %s", program,
			 strerror(-error));
	return error;
}
