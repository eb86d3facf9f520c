#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include <string.h>

#include "facet-replier-private.h"

#include "settings/facet-activity-log.h"

static void answer_next (FacetReplier *self);

/* ---- the tools ---------------------------------------------------------- */

/* The person's file is read again when it has changed. */
static char *
toolbox_key (const char *path)
{
  GStatBuf status;

  if (*path == '\0' || g_stat (path, &status) != 0)
    return g_strdup (path);
  return g_strdup_printf ("%s %" G_GINT64_FORMAT ".%09ld", path, (gint64) status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

static FacetToolbox *
load_toolbox (const char *path, GError **error)
{
  FacetToolbox *builtin = facet_toolbox_new_builtin ();
  g_autoptr (FacetToolbox) own = NULL;
  FacetToolbox *joined;

  if (*path == '\0')
    return builtin;
  facet_activity_log_add (FACET_ACTIVITY_READ, path);
  own = facet_toolbox_new_from_file (path, error);
  joined = own != NULL ? facet_toolbox_new_joined (builtin, own, error) : NULL;
  facet_toolbox_unref (builtin);
  return joined;
}

FacetToolbox *
_facet_replier_get_toolbox (FacetReplier *self, GError **error)
{
  g_autofree char *path = g_settings_get_string (self->settings, "tools-file");
  g_autofree char *key = toolbox_key (path);
  g_autoptr (GError) local = NULL;

  if (self->toolbox != NULL && g_strcmp0 (self->toolbox_key, key) == 0)
    return self->toolbox;
  g_clear_pointer (&self->toolbox, facet_toolbox_unref);
  g_free (self->toolbox_key);
  self->toolbox_key = g_steal_pointer (&key);
  self->toolbox = load_toolbox (path, &local);
  if (self->toolbox == NULL) {
    g_message ("the tools cannot be used: %s", local->message);
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         _("The file with your own tools cannot be used. Mend it, or choose another one in the preferences."));
  }
  return self->toolbox;
}

/* ---- one call ----------------------------------------------------------- */

static void
save (FacetReplier *self)
{
  g_autofree char *json = facet_call_records_write (facet_message_get_calls (self->message));
  g_autoptr (GError) error = NULL;

  if (!facet_store_save_calls (facet_conversation_get_store (self->conversation), facet_message_get_id (self->message), json, &error))
    g_warning ("the calls of tools could not be saved: %s", error->message);
}

static int
find_open (FacetReplier *self)
{
  const GPtrArray *calls = facet_message_get_calls (self->message);

  for (guint i = 0; i < calls->len; i++)
    if (((const FacetCallRecord *) calls->pdata[i])->state == FACET_CALL_OPEN)
      return (int) i;
  return -1;
}

static void
settle (FacetReplier *self, FacetCallState state, const char *result)
{
  facet_message_settle_call (self->message, (guint) find_open (self), state, result);
  save (self);
  answer_next (self);
}

static void
done_cb (const char *result, const GError *error, gpointer user_data)
{
  FacetReplier *self = user_data;

  self->task = NULL;
  settle (self, result != NULL ? FACET_CALL_DONE : FACET_CALL_FAILED, result != NULL ? result : error->message);
}

/* For the page that tells what was opened. */
static void
log_opening (FacetReplier *self, const FacetCallRecord *call)
{
  gboolean command;
  g_autofree char *target = facet_toolbox_target (self->offered, &(FacetCall){ call->tool, call->arguments }, &command);

  if (target != NULL)
    facet_activity_log_add (command ? FACET_ACTIVITY_RUN : FACET_ACTIVITY_READ, target);
}

static void
run (FacetReplier *self, const FacetCallRecord *call)
{
  /* Translators: %s is the name of a tool such as “Calculator” */
  g_autofree char *phase = g_strdup_printf (C_("engine phase", "Using %s…"), facet_toolbox_title (call->tool));

  _facet_replier_set_phase (self, phase);
  log_opening (self, call);
  self->task = facet_call_task_start (self->offered, call->tool, call->arguments, done_cb, self);
}

/* Somebody who said no is not asked the same again in this answer. */
static gboolean
was_denied (FacetReplier *self, const FacetCallRecord *call)
{
  const GPtrArray *calls = facet_message_get_calls (self->message);

  for (guint i = 0; i < calls->len; i++) {
    const FacetCallRecord *other = calls->pdata[i];

    if (other->state == FACET_CALL_DENIED && g_str_equal (other->tool, call->tool) &&
        g_str_equal (other->arguments, call->arguments))
      return TRUE;
  }
  return FALSE;
}

/* ---- all calls of a round ----------------------------------------------- */

static void
answer_next (FacetReplier *self)
{
  int index = find_open (self);
  const FacetCallRecord *call = index >= 0 ? facet_message_get_calls (self->message)->pdata[index] : NULL;
  g_autofree char *question = NULL;

  if (call == NULL) {
    self->round++;
    _facet_replier_begin_round (self);
    return;
  }
  question = facet_toolbox_question (self->offered, &(FacetCall){ call->tool, call->arguments });
  if (question == NULL || facet_chat_options_allows (facet_conversation_get_options (self->conversation), call->tool)) {
    run (self, call);
  } else if (was_denied (self, call)) {
    settle (self, FACET_CALL_DENIED, "");
  } else {
    _facet_replier_set_phase (self, C_("engine phase", "Waiting for your decision…"));
    _facet_replier_set_question (self, index, g_steal_pointer (&question));
  }
}

void
_facet_replier_take_calls (FacetReplier *self, const GPtrArray *calls)
{
  gsize offset = strlen (facet_message_get_text (self->message));

  for (guint i = 0; i < calls->len; i++) {
    const FacetCall *call = calls->pdata[i];

    facet_message_add_call (self->message, facet_call_record_new (call->name, call->arguments, offset, self->first_round + self->round));
  }
  save (self);
  answer_next (self);
}

void
_facet_replier_drop_calls (FacetReplier *self)
{
  int index;

  if (self->task != NULL)
    facet_call_task_drop (g_steal_pointer (&self->task));
  _facet_replier_set_question (self, -1, NULL);
  if (find_open (self) < 0)
    return;
  while ((index = find_open (self)) >= 0)
    facet_message_settle_call (self->message, (guint) index, FACET_CALL_STOPPED, "");
  save (self);
}

void
facet_replier_decide (FacetReplier *self, FacetDecision decision)
{
  const FacetCallRecord *call = facet_replier_get_asked (self);
  g_autoptr (GError) error = NULL;

  if (call == NULL)
    return;
  _facet_replier_set_question (self, -1, NULL);
  if (decision == FACET_DECISION_DENY) {
    settle (self, FACET_CALL_DENIED, "");
    return;
  }
  if (decision == FACET_DECISION_ALWAYS && !facet_conversation_allow_tool (self->conversation, call->tool, &error))
    g_warning ("what is allowed could not be stored: %s", error->message);
  run (self, call);
}
