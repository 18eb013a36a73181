/* SPDX-License-Identifier: MIT */
/*
 * frame.h - what passes over the serial line between enter and the agent.
 *
 * enter runs on the user's machine, the agent is the first process of the emulated
 * one. A frame is a head of four bytes and what it announces. The line loses
 * nothing; a wrong first byte means that something else has written to it.
 * Little-endian; one writer and one reader at each end.
 * Tested: tests/unit/frames_round_trip_test.c
 */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC     0xf5
#define FRAME_MAX_BYTES 4096

enum frame_kind {
	/* from the agent */
	FRAME_BEGUN = 'B',      /* the command runs from here on; before it nothing is lost */
	FRAME_STDOUT = 'O',     /* bytes */
	FRAME_STDERR = 'E',     /* bytes */
	FRAME_ALIVE = 'A',      /* once a second */
	FRAME_FILES = 'F',      /* bytes of an archive of what the command wrote */
	FRAME_STATUS = 'S',     /* uint32_t as of waitpid(); the last one */
	FRAME_CANNOT = 'C',     /* a line: why the command was not run; the last one */
	/* from enter */
	FRAME_SIGNAL = 'K',     /* uint32_t: send the command this signal */
	FRAME_CLOSED = 'X',     /* uint32_t: nobody reads descriptor 1 or 2 any more */
};

struct frame_head {
	uint8_t magic;
	uint8_t kind;           /* enum frame_kind */
	uint16_t bytes;         /* that follow, at most FRAME_MAX_BYTES */
};

#define FRAME_WHOLE_BYTES (sizeof(struct frame_head) + FRAME_MAX_BYTES)

struct frame {
	enum frame_kind kind;
	size_t bytes;
	uint8_t data[FRAME_MAX_BYTES + 1]; /* a zero after the last byte */
};

/* frame_pack - the bytes of one frame; returns how many. @bytes is at most FRAME_MAX_BYTES. */
size_t frame_pack(enum frame_kind kind, const void *data, size_t bytes,
		  uint8_t whole[FRAME_WHOLE_BYTES]);

/**
 * frame_write - one frame to @fd, whole.
 *
 * Shape:   @bytes is at most FRAME_MAX_BYTES.
 * Errors:  -errno of write().
 */
__attribute__((warn_unused_result))
int frame_write(int fd, enum frame_kind kind, const void *data, size_t bytes);

/* Bytes that were read and are no whole frame yet. Starts as zeros. */
struct frame_reader {
	uint8_t bytes[FRAME_WHOLE_BYTES];
	size_t have;
};

/**
 * frame_read - what there is to read on @fd, into @reader.
 *
 * Returns: bytes, 0 at the end of the line; -errno of read(). Room is left as long as
 *          frame_next() is called until it has no more.
 */
__attribute__((warn_unused_result))
int frame_read(int fd, struct frame_reader *reader);

/* frame_next - 1 and the next whole frame; 0 when there is none; -EPROTO for another's bytes. */
__attribute__((warn_unused_result))
int frame_next(struct frame_reader *reader, struct frame *frame);

/* frame_number - the uint32_t of a FRAME_STATUS, _SIGNAL or _CLOSED; 0 when it is too short. */
uint32_t frame_number(const struct frame *frame);

#endif
