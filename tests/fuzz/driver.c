// SPDX-License-Identifier: MIT
/*
 * driver.c - runs a fuzz target where there is no libFuzzer: every file of its corpus,
 * and then changed copies of them.
 *
 * It sees no coverage and learns nothing: it keeps the seeds right and finds what is
 * near them. libFuzzer (long.sh) goes further. The same seed makes the same runs. An
 * input that ends the process is left in ./crash-input, or where CRASH_INPUT says.
 *
 * Usage: TARGET [-runs=N] [-seed=N] FILE-OR-FOLDER...
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "split_mix.h"

#define MAX_FILES 256
#define MAX_BYTES 4096          /* of one input */
#define MAX_CHANGES 6           /* of one input */

#if defined(__SANITIZE_ADDRESS__)
/* sanitizer/common_interface_defs.h */
void __sanitizer_set_death_callback(void (*callback)(void));
#endif

struct input {
	uint8_t data[MAX_BYTES];
	size_t bytes;
};

static struct input g_corpus[MAX_FILES];
static size_t g_files;
static struct input g_current;
static uint64_t g_random;

_Noreturn static void give_up(const char *what, const char *name)
{
	fprintf(stderr, "%s: %s\n", name, what);
	exit(99);
}

/* --- what is left when the process ends --------------------------------------- */

static void save_input(void)
{
	const char *path = getenv("CRASH_INPUT");
	int fd = open(path != NULL ? path : "crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, g_current.data, g_current.bytes) != (ssize_t)g_current.bytes)
		fputs("the input could not be written\n", stderr);
	else
		fprintf(stderr, "input of %zu bytes left in %s\n", g_current.bytes,
			path != NULL ? path : "crash-input");
}

static void on_abort(int signal)
{
	(void)signal;
	save_input();
	_exit(1);
}

/* --- chance ------------------------------------------------------------------- */

static size_t draw_below(size_t limit)
{
	return (size_t)split_mix_below(&g_random, limit);
}

/* --- changing an input -------------------------------------------------------- */

static void overwrite_number(struct input *input, size_t at)
{
	static const uint64_t ends[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffffffff, UINT64_C(1) << 47, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX,
	};
	uint64_t value = ends[draw_below(sizeof(ends) / sizeof(ends[0]))] + draw_below(3) - 1;
	size_t bytes = (size_t)1 << draw_below(4);

	if (bytes > input->bytes - at)
		bytes = input->bytes - at;
	memcpy(input->data + at, &value, bytes);
}

static void insert(struct input *input, size_t at, const uint8_t *from, size_t bytes)
{
	if (bytes > MAX_BYTES - input->bytes)
		bytes = MAX_BYTES - input->bytes;
	memmove(input->data + at + bytes, input->data + at, input->bytes - at);
	memcpy(input->data + at, from, bytes);
	input->bytes += bytes;
}

static void delete(struct input *input, size_t at, size_t bytes)
{
	if (bytes > input->bytes - at)
		bytes = input->bytes - at;
	memmove(input->data + at, input->data + at + bytes, input->bytes - at - bytes);
	input->bytes -= bytes;
}

/* A piece of some other file of the corpus. */
static void insert_piece(struct input *input, size_t at)
{
	const struct input *other = &g_corpus[draw_below(g_files)];
	size_t from = other->bytes != 0 ? draw_below(other->bytes) : 0;
	size_t most = other->bytes - from;

	if (most != 0)
		insert(input, at, other->data + from, 1 + draw_below(most < 64 ? most : 64));
}

static void change(struct input *input)
{
	uint8_t byte = (uint8_t)split_mix_draw(&g_random);
	size_t at;

	if (input->bytes == 0) {
		insert(input, 0, &byte, 1);
		return;
	}
	at = draw_below(input->bytes);
	switch (draw_below(6)) {
	case 0:
		input->data[at] = byte;
		break;
	case 1:
		input->data[at] = (uint8_t)(input->data[at] ^ 1u << draw_below(8));
		break;
	case 2:
		overwrite_number(input, at);
		break;
	case 3:
		insert(input, at, &byte, 1);
		break;
	case 4:
		delete(input, at, 1 + draw_below(draw_below(8) == 0 ? input->bytes : 8));
		break;
	default:
		insert_piece(input, at);
		break;
	}
}

/* --- the corpus --------------------------------------------------------------- */

static void read_file(const char *path)
{
	struct input *input = &g_corpus[g_files];
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		give_up(strerror(errno), path);
	if (g_files == MAX_FILES)
		give_up("too many files", path);
	input->bytes = fread(input->data, 1, MAX_BYTES, file);
	if (ferror(file) || fgetc(file) != EOF)
		give_up("not read, or too long", path);
	fclose(file);
	g_files++;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* By name: the order is the same everywhere. */
static void read_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, alphasort);

	if (count < 0)
		give_up(strerror(errno), path);
	for (int i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		read_file(name);
		free(entries[i]);
	}
	free(entries);
}

static void read_corpus(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		give_up(strerror(errno), path);
	if (S_ISDIR(status.st_mode))
		read_folder(path);
	else
		read_file(path);
}

/* ------------------------------------------------------------------------------ */

/* From a block of exactly its size, so that a sanitizer sees each byte beyond. */
static void run(void)
{
	uint8_t *data = malloc(g_current.bytes);

	if (data == NULL && g_current.bytes != 0)
		give_up("no memory", "driver");
	if (g_current.bytes != 0)
		memcpy(data, g_current.data, g_current.bytes);
	(void)LLVMFuzzerTestOneInput(data, g_current.bytes);
	free(data);
}

static void run_changed(void)
{
	g_current = g_corpus[draw_below(g_files)];
	for (size_t changes = 1 + draw_below(MAX_CHANGES); changes > 0; changes--)
		change(&g_current);
	run();
}

static bool number_option(const char *argument, const char *name, uint64_t *value)
{
	size_t bytes = strlen(name);

	if (strncmp(argument, name, bytes) != 0)
		return false;
	*value = strtoull(argument + bytes, NULL, 10);
	return true;
}

int main(int argc, char **argv)
{
	uint64_t runs = 0, seed = 1;

	for (int i = 1; i < argc; i++)
		if (!number_option(argv[i], "-runs=", &runs) &&
		    !number_option(argv[i], "-seed=", &seed))
			read_corpus(argv[i]);
	if (g_files == 0)
		give_up("no file to start from", argv[0]);
	signal(SIGABRT, on_abort);
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_set_death_callback(save_input);
#endif
	for (size_t i = 0; i < g_files; i++) {
		g_current = g_corpus[i];
		run();
	}
	g_random = seed;
	for (uint64_t i = 0; i < runs; i++)
		run_changed();
	printf("%zu files, %llu changed copies\n", g_files, (unsigned long long)runs);
	return 0;
}
