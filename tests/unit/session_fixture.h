/* SPDX-License-Identifier: MIT */
/*
 * session_fixture.h - page tables and a secondary MMU for a session that a test has made
 * by hand and given its guest memory: what a session has before its first vCPU runs.
 */
#ifndef SESSION_FIXTURE_H
#define SESSION_FIXTURE_H

#include "page_tables.h"
#include "session.h"
#include "unit_test.h"

static inline void session_fixture_create(struct session *session, uint32_t spares)
{
	struct shadow_config config = {
		.frames = &session->frames,
		.reclaim = &reclaim_mode,
		.readers = session->shape.vcpus + 1,
	};
	struct why why = { 0 };

	page_tables_build(&session->machine.memory);
	if (frames_create(&session->frames, &session->machine.memory, spares, &why) != 0)
		fail_msg("%s", why.text);
	assert_int_equal(shadow_create(&session->shadow, &config), 0);
	shadow_thread_begin(session->shadow);
}

static inline void session_fixture_destroy(struct session *session)
{
	shadow_thread_end(session->shadow);
	shadow_destroy(session->shadow);
	frames_destroy(&session->frames);
}

#endif
