/* interrupt.h - Ctrl-C
 *
 * While something is guarded, the first Ctrl-C raises its cancel flag and the
 * second one leaves the program at once. What comes while nothing is guarded
 * ends the next wait, or stops what is guarded next; none is lost in between.
 */
#pragma once

#include "facet.h"

void     interrupt_install (void);
/* NULL ends the guard; what came during it is settled then. */
void     interrupt_guard   (FacetCancel *cancel);
/* Waits until @fd can be read without blocking. FALSE: Ctrl-C came, perhaps
 * before the call. */
gboolean interrupt_wait    (int fd);
