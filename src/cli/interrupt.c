#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "commands.h"

static FacetCancel *volatile guarded;
static volatile sig_atomic_t count;
/* A letter for each Ctrl-C: the signal may reach any thread, and at any time. */
static int told[2] = { -1, -1 };

static void
on_interrupt (int number)
{
  FacetCancel *cancel = guarded;
  int reason = errno;

  count++;
  if (cancel != NULL && count > 1)
    _exit (EXIT_INTERRUPTED);
  if (cancel != NULL)
    facet_cancel (cancel);
  (void) !write (told[1], "", 1);
  errno = reason;
}

void
interrupt_install (void)
{
  struct sigaction action = { .sa_handler = on_interrupt };

  if (told[0] < 0 && pipe2 (told, O_CLOEXEC | O_NONBLOCK) != 0)
    g_error ("pipe: %s", g_strerror (errno));
  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
}

static void
settle (void)
{
  char letters[64];

  while (told[0] >= 0 && read (told[0], letters, sizeof letters) > 0)
    ;
  count = 0;
}

void
interrupt_guard (FacetCancel *cancel)
{
  if (cancel == NULL) {
    guarded = NULL;
    settle ();
    return;
  }
  facet_cancel_reset (cancel);
  guarded = cancel;
  if (count > 0)
    facet_cancel (cancel);
}

gboolean
interrupt_wait (int fd)
{
  struct pollfd of[] = { { .fd = fd, .events = POLLIN }, { .fd = told[0], .events = POLLIN } };

  while (poll (of, G_N_ELEMENTS (of), -1) < 0)
    if (errno != EINTR)
      return TRUE; /* reading says what is wrong */
  if (of[1].revents == 0)
    return TRUE;
  settle ();
  return FALSE;
}
