/* SPDX-License-Identifier: MIT */
/*
 * init.pml - starts the processes: a protocol includes it last, and has defined
 *   proctype vcpu(byte me)          one for each target
 *   proctype initiator(byte me)     one for each initiator
 */

init {
	byte n;

	atomic {
		do
		:: n < TARGETS -> run vcpu(n); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < INITIATORS -> run initiator(n); n++
		:: else -> break
		od;
		n = 0
	}
}
