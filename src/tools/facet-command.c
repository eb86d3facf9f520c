#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include "facet-toolbox-private.h"

#define MAX_SECONDS 30
#define POLL_MS     100
#define END_POLL_USEC 2000

/* The name of the argument that an element stands for, or NULL. */
static char *
placeholder (const char *element)
{
  gsize length = strlen (element);

  if (length < 3 || element[0] != '{' || element[length - 1] != '}')
    return NULL;
  return g_strndup (element + 1, length - 2);
}

static char *
value_text (JsonNode *node)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_dup_string (node);
  return json_to_string (node, FALSE);
}

GStrv
facet_command_fill (const char *const *command, JsonObject *arguments, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (; *command != NULL; command++) {
    g_autofree char *name = placeholder (*command);
    g_autofree char *value = NULL;
    JsonNode *node;

    if (name == NULL) {
      g_strv_builder_add (builder, *command);
      continue;
    }
    if (!json_object_has_member (arguments, name))
      continue;
    node = json_object_get_member (arguments, name);
    value = value_text (node);
    if (value[0] == '-' && json_node_get_value_type (node) == G_TYPE_STRING) {
      facet_toolbox_fail (error, "the argument %s begins with “-”, which is not allowed", name);
      return NULL;
    }
    g_strv_builder_add (builder, value);
  }
  return g_strv_builder_end (builder);
}

/* FALSE with an error once nobody waits any more. */
static gboolean
may_go_on (gint64 deadline, FacetCancel *cancel, GError **error)
{
  if (facet_is_cancelled (cancel)) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_CANCELLED, "stopped");
    return FALSE;
  }
  if (g_get_monotonic_time () > deadline) {
    facet_toolbox_fail (error, "the command took longer than %d seconds", MAX_SECONDS);
    return FALSE;
  }
  return TRUE;
}

/* Reads until the end, the deadline or too much; FALSE with an error. */
static gboolean
read_all (int file, GString *text, gint64 deadline, FacetCancel *cancel, GError **error)
{
  while (may_go_on (deadline, cancel, error)) {
    struct pollfd ready = { .fd = file, .events = POLLIN };
    char block[4096];
    gssize got;

    if (poll (&ready, 1, POLL_MS) <= 0)
      continue;
    got = read (file, block, sizeof block);
    if (got == 0 || (got < 0 && errno != EINTR))
      return TRUE;
    if (got > 0)
      g_string_append_len (text, block, got);
    if (text->len > FACET_TOOLBOX_MAX_RESULT) {
      facet_toolbox_fail (error, "the command wrote more than %d bytes", FACET_TOOLBOX_MAX_RESULT);
      return FALSE;
    }
  }
  return FALSE;
}

/* A command may go on after it closed its output. */
static gboolean
wait_for_end (GPid child, int *status, gint64 deadline, FacetCancel *cancel, GError **error)
{
  while (may_go_on (deadline, cancel, error)) {
    if (waitpid (child, status, WNOHANG) != 0)
      return TRUE;
    g_usleep (END_POLL_USEC);
  }
  return FALSE;
}

/* Its arguments fit into a pipe, so that this does not wait; a command that
 * does not read them must not end us. */
static void
write_all (int file, const char *text)
{
  sigset_t pipe_signal, old;
  struct timespec none = { 0, 0 };
  gsize length = strlen (text);

  sigemptyset (&pipe_signal);
  sigaddset (&pipe_signal, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &pipe_signal, &old);
  while (length > 0) {
    gssize wrote = write (file, text, length);

    if (wrote < 0 && errno == EPIPE)
      sigtimedwait (&pipe_signal, NULL, &none);
    if (wrote <= 0)
      break;
    text += wrote;
    length -= wrote;
  }
  pthread_sigmask (SIG_SETMASK, &old, NULL);
}

/* Between fork and exec. The command leads a group of its own, so that what it
 * starts ends with it; it has no terminal to ask questions on. */
static void
leave (gpointer data)
{
  setsid ();
#ifdef __linux__
  prctl (PR_SET_PDEATHSIG, SIGKILL); /* also when this program is killed */
#endif
}

static void
end (GPid child)
{
  kill (-child, SIGKILL);
  while (waitpid (child, NULL, 0) < 0 && errno == EINTR)
    continue;
}

char *
facet_command_run (const char *const *command, const char *input, FacetCancel *cancel, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) local = NULL;
  gint64 deadline;
  int to, from, status = 0;
  gboolean done;
  GPid child;

  if (!g_spawn_async_with_pipes (NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, leave, NULL, &child, &to, &from, NULL, &local)) {
    facet_toolbox_fail (error, "%s", local->message);
    return NULL;
  }
  deadline = g_get_monotonic_time () + MAX_SECONDS * G_USEC_PER_SEC;
  write_all (to, input);
  close (to);
  done = read_all (from, text, deadline, cancel, error) && wait_for_end (child, &status, deadline, cancel, error);
  close (from);
  if (!done)
    end (child);
  g_spawn_close_pid (child);
  if (!done)
    return NULL;
  if (!g_spawn_check_wait_status (status, &local)) {
    facet_toolbox_fail (error, "%s: %s", command[0], local->message);
    return NULL;
  }
  return g_utf8_make_valid (text->str, text->len);
}
