// SPDX-License-Identifier: MIT
/*
 * kvm_stats.c - looking names up in KVM's binary statistics (kvm_stats.h).
 *
 * Threads: as whoever calls; nothing is kept.
 * Tested:  tests/unit/kvm_stats_find_by_name_test.c
 */
#include "kvm_stats.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Linux 6.12 has names of 48 bytes and about 50 statistics a vCPU. */
#define NAME_BYTES_MAX  256u
#define DESCRIPTORS_MAX 4096u

/* The descriptors of one file, one after the other. */
struct descriptors {
	uint32_t count;
	size_t name_bytes;
	size_t stride;
	uint64_t data_offset;           /* of the values, in the file */
	uint8_t *bytes;                 /* [count * stride] */
};

static int read_all(int file, void *buffer, size_t bytes, uint64_t offset, const char *what,
		    struct why *why)
{
	ssize_t got = pread(file, buffer, bytes, (off_t)offset);

	if (got < 0)
		return why_set(why, EXIT_HOST, errno, "KVM's statistics, %s: %s", what,
			       strerror(errno));
	if ((size_t)got != bytes)
		return why_set(why, EXIT_HOST, EIO, "KVM's statistics, %s: %zd bytes of %zu", what,
			       got, bytes);
	return 0;
}

static int read_descriptors(int file, struct descriptors *descriptors, struct why *why)
{
	struct kvm_stats_header header;
	int error = read_all(file, &header, sizeof(header), 0, "header", why);

	if (error != 0)
		return error;
	if (header.name_size == 0 || header.name_size > NAME_BYTES_MAX ||
	    header.num_desc > DESCRIPTORS_MAX)
		return why_set(why, EXIT_HOST, EIO,
			       "KVM's statistics: %u of them, with names of %u bytes", header.num_desc,
			       header.name_size);
	descriptors->count = header.num_desc;
	descriptors->name_bytes = header.name_size;
	descriptors->stride = offsetof(struct kvm_stats_desc, name) + header.name_size;
	descriptors->data_offset = header.data_offset;
	descriptors->bytes = malloc(descriptors->count * descriptors->stride + 1);
	if (descriptors->bytes == NULL)
		return why_set(why, EXIT_HOST, ENOMEM, "KVM's statistics: no memory");
	return read_all(file, descriptors->bytes, descriptors->count * descriptors->stride,
			header.desc_offset, "descriptors", why);
}

static bool is_called(const uint8_t *descriptor, size_t name_bytes, const char *name)
{
	return strlen(name) < name_bytes &&
		strncmp((const char *)descriptor + offsetof(struct kvm_stats_desc, name), name,
			name_bytes) == 0;
}

static int find(int file, const struct descriptors *descriptors, struct kvm_stat *stat,
		struct why *why)
{
	struct kvm_stats_desc head;
	uint64_t value;
	int error;

	for (uint32_t i = 0; i < descriptors->count; i++) {
		const uint8_t *descriptor = descriptors->bytes + i * descriptors->stride;

		if (!is_called(descriptor, descriptors->name_bytes, stat->name))
			continue;
		memcpy(&head, descriptor, offsetof(struct kvm_stats_desc, name));
		if (head.size != 1)
			continue;
		error = read_all(file, &value, sizeof(value),
				 descriptors->data_offset + head.offset, stat->name, why);
		stat->found = error == 0;
		stat->value = error == 0 ? value : 0;
		return error;
	}
	return 0;
}

int kvm_stats_find_by_name(int file, struct kvm_stat *stats, size_t count, struct why *why)
{
	struct descriptors descriptors = { 0 };
	int error = read_descriptors(file, &descriptors, why);

	for (size_t i = 0; i < count; i++) {
		stats[i].found = false;
		stats[i].value = 0;
		if (error == 0)
			error = find(file, &descriptors, &stats[i], why);
	}
	free(descriptors.bytes);
	return error;
}

/* Before Linux 5.14 the request is unknown: -EINVAL on x86, -ENOTTY elsewhere. */
static bool is_missing(int error)
{
	return error == -EINVAL || error == -ENOTTY;
}

int kvm_stats_read_marks(struct kvm_vcpu_fd vcpu, struct kvm_marks *marks, struct why *why)
{
	struct kvm_stat stats[] = {
		{ .name = "preemption_reported" },
		{ .name = "preemption_other" },
	};
	struct why unsupported = { 0 };
	int file = kvm_get_stats_fd(vcpu, &unsupported);
	int error;

	*marks = (struct kvm_marks){ 0 };
	if (is_missing(file))
		return 0;
	if (file < 0)
		return why_set(why, unsupported.status, -file, "%s", unsupported.text);
	error = kvm_stats_find_by_name(file, stats, 2, why);
	close(file);
	if (error == 0 && stats[0].found && stats[1].found)
		*marks = (struct kvm_marks){ true, stats[0].value, stats[1].value };
	return error;
}
