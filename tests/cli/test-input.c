/* Standard input and Ctrl-C: wherever it comes, the next wait or the next work
 * knows of it. */
#include "cli/input.h"
#include "cli/interrupt.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Standard input for a while. */
typedef struct {
  int before, writing;
} Pipe;

static void
set_up (Pipe *p, gconstpointer data)
{
  int ends[2];

  g_assert_no_errno (pipe (ends));
  p->before = dup (STDIN_FILENO);
  g_assert_no_errno (dup2 (ends[0], STDIN_FILENO));
  close (ends[0]);
  p->writing = ends[1];
  interrupt_guard (NULL);
}

static void
tear_down (Pipe *p, gconstpointer data)
{
  if (p->writing >= 0)
    close (p->writing);
  dup2 (p->before, STDIN_FILENO);
  close (p->before);
}

static void
give (Pipe *p, const char *text)
{
  g_assert_cmpint (write (p->writing, text, strlen (text)), ==, (gssize) strlen (text));
}

static void
assert_line (InputResult result, const char *text)
{
  g_autoptr (GString) line = g_string_new (NULL);

  g_assert_cmpint (input_line (line), ==, result);
  g_assert_cmpstr (line->str, ==, text);
}

static void
test_lines (Pipe *p, gconstpointer data)
{
  give (p, "one\ntwo\n\nlast");
  assert_line (INPUT_READ, "one\n");
  assert_line (INPUT_READ, "two\n");
  assert_line (INPUT_READ, "\n");
  close (p->writing);
  p->writing = -1;
  assert_line (INPUT_READ, "last");
  assert_line (INPUT_END, "");
}

/* Between a prompt and the read, when nothing blocks yet. */
static void
test_before_the_wait (Pipe *p, gconstpointer data)
{
  raise (SIGINT);
  assert_line (INPUT_INTERRUPTED, "");
  give (p, "then\n");
  assert_line (INPUT_READ, "then\n");
  give (p, "half");
  raise (SIGINT);
  assert_line (INPUT_INTERRUPTED, "");
}

static gpointer
interrupt_soon (gpointer data)
{
  g_usleep (50 * 1000);
  kill (getpid (), SIGINT);
  return NULL;
}

/* Whichever thread the signal reaches. */
static void
test_while_waiting (Pipe *p, gconstpointer data)
{
  GThread *other = g_thread_new ("other", interrupt_soon, NULL);
  sigset_t interrupts;

  sigemptyset (&interrupts);
  sigaddset (&interrupts, SIGINT);
  pthread_sigmask (SIG_BLOCK, &interrupts, NULL);
  assert_line (INPUT_INTERRUPTED, "");
  pthread_sigmask (SIG_UNBLOCK, &interrupts, NULL);
  g_thread_join (other);
}

/* Between a question and its answer. */
static void
test_before_the_work (Pipe *p, gconstpointer data)
{
  FacetCancel cancel = { 0 };

  raise (SIGINT);
  interrupt_guard (&cancel);
  g_assert_true (facet_is_cancelled (&cancel));
  interrupt_guard (NULL);
  interrupt_guard (&cancel);
  g_assert_false (facet_is_cancelled (&cancel));
  raise (SIGINT);
  g_assert_true (facet_is_cancelled (&cancel));
  assert_line (INPUT_INTERRUPTED, "");
  interrupt_guard (NULL);
  give (p, "next\n");
  assert_line (INPUT_READ, "next\n");
}

/* The second one leaves at once. */
static void
test_twice (void)
{
  if (g_test_subprocess ()) {
    FacetCancel cancel = { 0 };

    interrupt_install ();
    interrupt_guard (&cancel);
    raise (SIGINT);
    raise (SIGINT);
    g_usleep (10 * G_USEC_PER_SEC);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_assert_false (g_test_trap_reached_timeout ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  interrupt_install ();
#define ADD(name, function) g_test_add ("/input/" name, Pipe, NULL, set_up, function, tear_down)
  ADD ("lines", test_lines);
  ADD ("before-the-wait", test_before_the_wait);
  ADD ("while-waiting", test_while_waiting);
  ADD ("before-the-work", test_before_the_work);
  g_test_add_func ("/input/twice", test_twice);
  return g_test_run ();
}
