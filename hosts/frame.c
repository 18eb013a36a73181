// SPDX-License-Identifier: MIT
/* frame.c - what passes over the serial line (frame.h). */
#include "frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "write_all.h"

size_t frame_pack(enum frame_kind kind, const void *data, size_t bytes,
		  uint8_t whole[FRAME_WHOLE_BYTES])
{
	struct frame_head head = { FRAME_MAGIC, (uint8_t)kind, (uint16_t)bytes };

	assert(bytes <= FRAME_MAX_BYTES);
	memcpy(whole, &head, sizeof(head));
	if (bytes > 0)
		memcpy(whole + sizeof(head), data, bytes);
	return sizeof(head) + bytes;
}

int frame_write(int fd, enum frame_kind kind, const void *data, size_t bytes)
{
	uint8_t whole[FRAME_WHOLE_BYTES];

	return write_all(fd, whole, frame_pack(kind, data, bytes, whole));
}

int frame_read(int fd, struct frame_reader *reader)
{
	ssize_t got = read(fd, reader->bytes + reader->have, sizeof(reader->bytes) - reader->have);

	if (got < 0)
		return -errno;
	reader->have += (size_t)got;
	return (int)got;
}

int frame_next(struct frame_reader *reader, struct frame *frame)
{
	struct frame_head head;
	size_t whole;

	if (reader->have < sizeof(head))
		return 0;
	memcpy(&head, reader->bytes, sizeof(head));
	if (head.magic != FRAME_MAGIC || head.bytes > FRAME_MAX_BYTES)
		return -EPROTO;
	whole = sizeof(head) + head.bytes;
	if (reader->have < whole)
		return 0;
	frame->kind = (enum frame_kind)head.kind;
	frame->bytes = head.bytes;
	memcpy(frame->data, reader->bytes + sizeof(head), head.bytes);
	frame->data[head.bytes] = 0;
	reader->have -= whole;
	memmove(reader->bytes, reader->bytes + whole, reader->have);
	return 1;
}

uint32_t frame_number(const struct frame *frame)
{
	uint32_t number = 0;

	if (frame->bytes >= sizeof(number))
		memcpy(&number, frame->data, sizeof(number));
	return number;
}
