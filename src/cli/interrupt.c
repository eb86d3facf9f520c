#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "commands.h"

static FacetCancel *volatile guarded;
static volatile sig_atomic_t count;

static void
on_interrupt (int number)
{
  FacetCancel *cancel = guarded;

  count++;
  if (cancel == NULL)
    return;
  if (count > 1)
    _exit (EXIT_INTERRUPTED);
  facet_cancel (cancel);
}

void
interrupt_install (void)
{
  struct sigaction action = { .sa_handler = on_interrupt };

  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
}

void
interrupt_guard (FacetCancel *cancel)
{
  guarded = NULL;
  count = 0;
  if (cancel != NULL)
    facet_cancel_reset (cancel);
  guarded = cancel;
}

gboolean
interrupt_came (void)
{
  return count > 0;
}
