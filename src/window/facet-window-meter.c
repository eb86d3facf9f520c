#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

#define SETTLE_MS 250

static void
counted_cb (int tokens, int cached, const GError *error, gpointer data)
{
  FacetWindow *self = data;
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  g_autofree char *text = NULL;

  self->count_job = 0;
  if (error != NULL || loaded == NULL) {
    if (error != NULL)
      g_debug ("the message could not be counted: %s", error->message);
    facet_composer_set_meter (self->composer, "", FALSE);
    return;
  }
  if (tokens >= loaded->context)
    /* Translators: numbers of tokens: needed, and available */
    text = g_strdup_printf (_("Too long: %d of %d tokens"), tokens, loaded->context);
  else
    /* Translators: numbers of tokens: used, and available */
    text = g_strdup_printf (_("%d of %d tokens"), tokens, loaded->context);
  facet_composer_set_meter (self->composer, text, tokens >= loaded->context);
}

static gboolean
count_cb (gpointer data)
{
  FacetWindow *self = data;
  g_autofree char *text = facet_composer_get_text (self->composer);
  g_autofree char *choice = facet_mode_choice (facet_composer_get_mode (self->composer), self->settings);
  g_autoptr (FacetRequest) request = NULL;

  self->count_timer = 0;
  if (facet_engine_service_get_loaded (self->service) == NULL || facet_replier_is_running (self->replier))
    return G_SOURCE_REMOVE;
  if (self->count_job != 0)
    facet_engine_service_forget (self->service, self->count_job);
  if (*text == '\0' && facet_conversation_get_length (self->conversation) == 0) {
    self->count_job = 0;
    facet_composer_set_meter (self->composer, "", FALSE);
    return G_SOURCE_REMOVE;
  }
  request = facet_replier_build_request (self->replier, self->conversation,
                                         facet_conversation_get_last (self->conversation),
                                         *text != '\0' ? text : NULL, choice, NULL);
  self->count_job = facet_engine_service_count (self->service, request, counted_cb, self);
  return G_SOURCE_REMOVE;
}

void
_facet_window_update_meter (FacetWindow *self)
{
  if (self->conversation == NULL)
    return;
  g_clear_handle_id (&self->count_timer, g_source_remove);
  self->count_timer = g_timeout_add (SETTLE_MS, count_cb, self);
}
