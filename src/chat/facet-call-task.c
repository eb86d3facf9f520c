#define G_LOG_DOMAIN "facet"

#include <gio/gio.h>

#include "facet-call-task.h"

#define MAX_WAIT_SECONDS 3

/* The upper half is read by the thread, too; only the flag changes. */
struct FacetCallTask {
  FacetToolbox *toolbox;
  FacetCall     call;
  FacetCancel   cancel;

  FacetCallDone done; /* NULL: dropped */
  gpointer      user_data;
};

/* How many calls are being run, for facet_call_task_wait_all(). */
static GMutex running_mutex;
static GCond running_changed;
static guint n_running;

static void
count_running (int change)
{
  g_mutex_lock (&running_mutex);
  n_running += (guint) change;
  g_cond_broadcast (&running_changed);
  g_mutex_unlock (&running_mutex);
}

static void
run_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  FacetCallTask *self = data;
  GError *error = NULL;
  char *result = facet_toolbox_run (self->toolbox, &self->call, &self->cancel, &error);

  count_running (-1);
  if (result != NULL)
    g_task_return_pointer (task, result, g_free);
  else
    g_task_return_error (task, error);
}

static void
done_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  FacetCallTask *self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_task_propagate_pointer (G_TASK (result), &error);

  if (self->done != NULL)
    self->done (text, error, self->user_data);
  facet_toolbox_unref (self->toolbox);
  g_free (self->call.name);
  g_free (self->call.arguments);
  g_free (self);
}

FacetCallTask *
facet_call_task_start (FacetToolbox *toolbox, const char *tool, const char *arguments, FacetCallDone done, gpointer user_data)
{
  FacetCallTask *self = g_new0 (FacetCallTask, 1);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, done_cb, self);

  self->toolbox = facet_toolbox_ref (toolbox);
  self->call = (FacetCall){ g_strdup (tool), g_strdup (arguments) };
  self->done = done;
  self->user_data = user_data;
  g_task_set_source_tag (task, facet_call_task_start);
  g_task_set_task_data (task, self, NULL);
  count_running (1);
  g_task_run_in_thread (task, run_thread);
  return self;
}

void
facet_call_task_drop (FacetCallTask *self)
{
  self->done = NULL;
  facet_cancel (&self->cancel);
}

void
facet_call_task_wait_all (void)
{
  gint64 end = g_get_monotonic_time () + MAX_WAIT_SECONDS * G_USEC_PER_SEC;

  g_mutex_lock (&running_mutex);
  while (n_running > 0)
    if (!g_cond_wait_until (&running_changed, &running_mutex, end))
      break;
  g_mutex_unlock (&running_mutex);
}
