/* interrupt.h - Ctrl-C
 *
 * While something is guarded, the first Ctrl-C raises its cancel flag and the
 * second one leaves the program at once. Unguarded, Ctrl-C is only counted
 * and interrupts a blocking read.
 */
#pragma once

#include "facet.h"

void     interrupt_install (void);
void     interrupt_guard   (FacetCancel *cancel); /* NULL ends the guard; resets the count */
/* Whether Ctrl-C came since the guard changed. */
gboolean interrupt_came    (void);
