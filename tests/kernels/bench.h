/* bench.h - `test-matmul --bench`: what each product costs
 *
 * Seconds are of this thread's processor time, so that a busy machine does not
 * spoil them; the least of several rounds counts.
 */
#pragma once

/* Prints, by instruction set and type, GB/s of weights with one row of
 * activations and 10^9 multiply-adds/s with 64 rows. */
void bench_matmul (void);
